#pragma once
#include <stdint.h>
#include <sys/types.h>

// A second process in this one's group, which gets what is sent to the group, and nothing that is sent to this process
// alone. See CLinux.h for the conventions.

/// A signal that the second process has got.
struct clinux_group_signal {
    int32_t number;
    /// As in clinux_signal.
    int32_t sender;
};

/// The most signals that one answer has.
enum { clinux_group_signal_limit = 128 };

/// Starts the second process. It dies with the calling thread, has nothing open but its end of `socket`, and bears no
/// name by which somebody who looks for this program or its arguments would signal it.
///
/// - `words`: the command line of this process, ended by NULL, which the second process forgets.
/// - `socket`: becomes this process's end.
/// - Returns: its number, or -1 with errno.
pid_t clinux_start_group_watch(char **words, int *socket);

/// Asks for the signals that the second process has got since the last question.
/// - `watch`: the second process.
/// - `question`: a number that was not given before.
/// - `signals`: room for clinux_group_signal_limit of them.
/// - Returns: how many there are, or -1 where it does not answer within half a second.
int clinux_group_signals(pid_t watch, int socket, uint32_t question, struct clinux_group_signal *signals);
