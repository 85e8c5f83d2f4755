/* Element types. Bytes in a file are little-endian. They are assembled by shifts, which is right on every machine, and
 * which compilers turn into plain loads and stores where possible. The two conversions that lose precision (F64 to
 * float, double to F32) round to nearest, as in C. */
#include "dtype.h"

#include <math.h>
#include <string.h>

/* In the reference implementation's order; files have the last dtypes first. */
static const struct {
    const char *name;
    tl_dtype dtype;
    int bits;
} dtypes[] = {
    {"BOOL", TL_DTYPE_BOOL, 8},
    {"F4", TL_DTYPE_F4, 4},
    {"F6_E2M3", TL_DTYPE_F6_E2M3, 6},
    {"F6_E3M2", TL_DTYPE_F6_E3M2, 6},
    {"U8", TL_DTYPE_U8, 8},
    {"I8", TL_DTYPE_I8, 8},
    {"F8_E5M2", TL_DTYPE_F8_E5M2, 8},
    {"F8_E4M3", TL_DTYPE_F8_E4M3, 8},
    {"F8_E8M0", TL_DTYPE_F8_E8M0, 8},
    {"F8_E4M3FNUZ", TL_DTYPE_F8_E4M3FNUZ, 8},
    {"F8_E5M2FNUZ", TL_DTYPE_F8_E5M2FNUZ, 8},
    {"I16", TL_DTYPE_I16, 16},
    {"U16", TL_DTYPE_U16, 16},
    {"F16", TL_DTYPE_F16, 16},
    {"BF16", TL_DTYPE_BF16, 16},
    {"I32", TL_DTYPE_I32, 32},
    {"U32", TL_DTYPE_U32, 32},
    {"F32", TL_DTYPE_F32, 32},
    {"C64", TL_DTYPE_C64, 64},
    {"F64", TL_DTYPE_F64, 64},
    {"I64", TL_DTYPE_I64, 64},
    {"U64", TL_DTYPE_U64, 64},
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

tl_dtype tl_dtype_resolve(tl_dtype dtype) {
    if (dtype != TL_DTYPE_REAL) return dtype;
    return sizeof(tl_real) == 8 ? TL_DTYPE_F64 : TL_DTYPE_F32;
}

const char *tl_dtype_name(tl_dtype dtype) {
    for (int i = 0; i < DTYPES; i++)
        if (dtypes[i].dtype == tl_dtype_resolve(dtype)) return dtypes[i].name;
    return "?";
}

int tl_dtype_bits(tl_dtype dtype) {
    for (int i = 0; i < DTYPES; i++)
        if (dtypes[i].dtype == tl_dtype_resolve(dtype)) return dtypes[i].bits;
    return 0;
}

int tl_dtype_size(tl_dtype dtype) { return tl_dtype_bits(dtype) / 8; }

bool tl_dtype_find(const char *name, tl_dtype *out) {
    for (int i = 0; i < DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            *out = dtypes[i].dtype;
            return true;
        }
    return false;
}

bool tl_dtype_is_real(tl_dtype dtype) {
    dtype = tl_dtype_resolve(dtype);
    return dtype == TL_DTYPE_F64 || dtype == TL_DTYPE_F32 || dtype == TL_DTYPE_F16 || dtype == TL_DTYPE_BF16;
}

static uint32_t load16(const unsigned char *b) { return (uint32_t)b[0] | (uint32_t)b[1] << 8; }
static uint32_t load32(const unsigned char *b) { return load16(b) | load16(b + 2) << 16; }
static uint64_t load64(const unsigned char *b) { return (uint64_t)load32(b) | (uint64_t)load32(b + 4) << 32; }

static void store32(unsigned char *b, uint32_t bits) {
    for (int i = 0; i < 4; i++) b[i] = (unsigned char)(bits >> 8 * i);
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* An IEEE half: 1 sign, 5 exponent (bias 15) and 10 mantissa bits. Every half is exactly a float. */
static float half_of(uint32_t bits) {
    uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1F, mantissa = bits & 0x3FF;
    if (exponent == 0) { /* zero and subnormals: mantissa · 2⁻²⁴ */
        float size = (float)mantissa * 0x1p-24f;
        return sign ? -size : size;
    }
    if (exponent == 31) return float_of(sign | 0x7F800000u | mantissa << 13); /* infinity, NaN */
    return float_of(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
}

bool tl_dtype_is_native(tl_dtype dtype) {
    /* memory is little-endian, too: base.h */
    return tl_dtype_resolve(dtype) == tl_dtype_resolve(TL_DTYPE_REAL);
}

void tl_dtype_decode(tl_dtype dtype, const unsigned char *bytes, long count, tl_real *out) {
    switch (tl_dtype_resolve(dtype)) {
    case TL_DTYPE_F64:
        for (long i = 0; i < count; i++) out[i] = (tl_real)double_of(load64(bytes + 8 * i));
        break;
    case TL_DTYPE_F32:
        for (long i = 0; i < count; i++) out[i] = (tl_real)float_of(load32(bytes + 4 * i));
        break;
    case TL_DTYPE_F16:
        for (long i = 0; i < count; i++) out[i] = (tl_real)half_of(load16(bytes + 2 * i));
        break;
    case TL_DTYPE_BF16: /* the upper half of a float */
        for (long i = 0; i < count; i++) out[i] = (tl_real)float_of(load16(bytes + 2 * i) << 16);
        break;
    default:
        break; /* cannot happen: the caller has asked tl_dtype_is_real */
    }
}

void tl_dtype_encode(tl_dtype dtype, const tl_real *in, long count, unsigned char *bytes) {
    bool wide = tl_dtype_resolve(dtype) == TL_DTYPE_F64;
    for (long i = 0; i < count; i++) {
        if (wide) {
            double value = (double)in[i];
            uint64_t bits;
            memcpy(&bits, &value, sizeof bits);
            store32(bytes + 8 * i, (uint32_t)bits);
            store32(bytes + 8 * i + 4, (uint32_t)(bits >> 32));
        } else {
            float value = (float)in[i];
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            store32(bytes + 4 * i, bits);
        }
    }
}
