#!/bin/sh
# A page as a C array: prints `const char tl_page_NAME[]`, which is NAME.html with its style sheets and scripts put in where it
# names them, each on a line of its own:
#
#     <link rel="stylesheet" href="x.css">      becomes      <style> … </style>
#     <script src="x.js"></script>              becomes      <script> … </script>
#
# So the sources can be opened from here in a browser, and what a program writes is one file. Files are looked for beside NAME.html.
#
#     src/lens/page/embed.sh src/lens/page/NAME.html
set -e
page=$1
beside=$(dirname "$page")
name=$(basename "$page" .html)

inline() {
    while IFS= read -r line || [ -n "$line" ]; do
        file=${line#*\"} # between the last two quotes
        file=${file%\"*}
        file=${file##*\"}
        case $line in
        '<link rel="stylesheet" href="'*) echo '<style>' && cat "$beside/$file" && echo '</style>' ;;
        '<script src="'*) echo '<script>' && cat "$beside/$file" && echo '</script>' ;;
        *) printf '%s\n' "$line" ;;
        esac || return 1
    done <"$page"
}

whole=$(inline) # before anything is printed: a file that is missing ends it here
echo "/* Made of $page by src/lens/page/embed.sh: change that. */"
echo "extern const char tl_page_$name[];"
echo "const char tl_page_$name[] ="
# A string a line. ? is escaped too: two of them and a bracket would be a trigraph.
printf '%s\n' "$whole" | LC_ALL=C sed -e 's/[\\"?]/\\&/g' -e 's/^/    "/' -e 's/$/\\n"/'
echo "    ;"
