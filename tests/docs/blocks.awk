# Writes the code blocks of a page to files in a folder: each Python block to the file that its first line names
# ("# name.py …"), all sh blocks to page.sh.
#
#     awk -v folder=FOLDER -f tests/docs/blocks.awk docs/interop.md
/^```python$/ { getline; name = $2; sub(/:$/, "", name); file = folder "/" name; next }
/^```sh$/ { file = folder "/page.sh"; next }
/^```/ { file = ""; next }
file { print >> file }
