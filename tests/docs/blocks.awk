# The blocks of a page: those of Python into files named by their first line ("# name.py …"), those of sh into page.sh.
#     awk -v folder=FOLDER -f tests/docs/blocks.awk docs/interop.md
/^```python$/ { getline; name = $2; sub(/:$/, "", name); file = folder "/" name; next }
/^```sh$/ { file = folder "/page.sh"; next }
/^```/ { file = ""; next }
file { print >> file }
