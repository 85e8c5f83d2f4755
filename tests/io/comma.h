/* A locale with a decimal comma, as a program that uses the library may have set one. */
#ifndef TL_TESTS_IO_COMMA_H
#define TL_TESTS_IO_COMMA_H

#include "scratch.h"

#include <locale.h>
#include <stdbool.h>

/* Sets a locale with a decimal comma: an installed one, or one made for this test in its folder. If there is neither,
 * prints that and returns false. */
static inline bool set_comma(const scratch *s) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8",
                                        "ru_RU.UTF-8"};
    char command[1024];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >/dev/null 2>&1",
             s->folder);
    for (int made = 0; made < 2; made++) {
        if (made && system(command) != 0) break;
        if (made) setenv("LOCPATH", s->folder, 1);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (setlocale(LC_ALL, names[i]) && !strcmp(localeconv()->decimal_point, ",")) return true;
    }
    TL_SKIP("no locale with a decimal comma is installed, and none can be made (localedef)");
    return false;
}

#endif
