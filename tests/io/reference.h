/* Files written by the reference implementation (safetensors 0.8.0 with PyTorch 2.13.0), as bytes. */
#ifndef TL_TESTS_IO_REFERENCE_H
#define TL_TESTS_IO_REFERENCE_H

/* clang-format off */
/* {"w": arange(6).reshape(2, 3) / 2 - 1, 'b.é"\\\n': [1.5, -2.25, 3e-40], "scalar": 7, "empty": zeros(0, 4)}
 * as float32, {"deep.0.z": [[0.1], [inf]]} as float64, metadata {"format": "pt", "note": 'ü\t\x01"/'} */
static const char reference_reals[] =
    "h\001\000\000\000\000\000\000{\"__metadata__\":{\"format\":\"pt\",\"note\":\"\303\274\\t\\u0001"
    "\\\"/\"},\"deep.0.z\":{\"dtype\":\"F64\",\"shape\":[2,1],\"data_offsets\":[0,16]},\"b.\303\251"
    "\\\"\\\\\\n\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,28]},\"empty\":{\"dtype\":"
    "\"F32\",\"shape\":[0,4],\"data_offsets\":[28,28]},\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\""
    "data_offsets\":[28,32]},\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[32,56]}} "
    "\232\231\231\231\231\231\271\077\000\000\000\000\000\000\360\177\000\000\300\077\000\000\020"
    "\300GD\003\000\000\000\340@\000\000\200\277\000\000\000\277\000\000\000\000\000\000\000\077\000"
    "\000\200\077\000\000\300\077";

/* {"half": [1, -2, 65504, 6e-8, inf, -0.0, 0.333251953125]} as float16, {"brain": [1, -2.5,
 * 3.3895313892515355e38, 1e-40]} as bfloat16, {"ids": [3, -1]} as int64, {"mask": [True, False, True]} as
 * bool */
static const char reference_others[] =
    "\360\000\000\000\000\000\000\000{\"ids\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,1"
    "6]},\"brain\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[16,24]},\"half\":{\"dtype\":"
    "\"F16\",\"shape\":[7],\"data_offsets\":[24,38]},\"mask\":{\"dtype\":\"BOOL\",\"shape\":[3],\"da"
    "ta_offsets\":[38,41]}}      \003\000\000\000\000\000\000\000\377\377\377\377\377\377\377\377"
    "\200\077 \300\177\177\001\000\000<\000\300\377{\001\000\000|\000\200U5\001\000\001";
/* clang-format on */

#endif
