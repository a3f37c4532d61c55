#pragma once

// What an executable of this package does before the Swift runtime in it starts. There is nothing to call: linking the
// target is enough. Libraries must not link it, for it takes a variable away from the program that uses them.
