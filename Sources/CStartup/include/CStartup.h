#pragma once

// What an executable of this package does before the Swift runtime in it starts. Linking the target is enough. Libraries
// must not link it, for it takes a variable away from the program that uses them.

/// The value of SWIFT_BACKTRACE that was hidden from this program's own runtime, for the programs that it starts; NULL
/// where nothing was hidden.
const char *cstartup_hidden_backtrace(void);
