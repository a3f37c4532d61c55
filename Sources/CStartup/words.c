#include "CStartup.h"

#include <features.h>
#include <stddef.h>

static char **words;

char **cstartup_words(void) { return words; }

#ifdef __GLIBC__
/// glibc hands constructors what it hands to main(); other C libraries do not.
__attribute__((constructor(101))) static void keep_words(int count, char **given, char **variables) {
    (void)count, (void)variables;
    words = given;
}
#endif
