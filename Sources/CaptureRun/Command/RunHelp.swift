/// What `reports-run --help` prints.
package enum RunHelp {
    /// The same as that of the library `Reports`.
    package static let version = "0.1.0"

    static let usage = "usage: reports-run [OPTION]... -- PROGRAM [ARGUMENT]..."

    package static let page = """
        Runs a program and drops its crash into the spool, where 'reports submit' or 'reports watch' finds it.

        \(usage)
               reports run [OPTION]... -- PROGRAM [ARGUMENT]...

        The program has the same terminal, standard input, output, process group and directory as without reports-run.
        Signals are sent on to it, once, and reports-run ends as the program has ended: with its exit status, or by its
        signal. If no process can be started beside reports-run, the program takes its place.
        If the spool cannot be used, reports-run says so in one line, and the program runs all the same.

        Where and what:
          --spool DIR          The spool. Default: $REPORTS_SPOOL, else /var/lib/reports where it is a spool and yours,
                               else $XDG_STATE_HOME/reports, else ~/.local/state/reports.
          --name NAME          The annotation 'service' of the reports.
          --release VERSION    The annotation 'version' of the reports.
          --annotate KEY=VALUE A further annotation; again for more, 64 at most. A report has room for about 55 of them;
                               the document of the incident names the others.
          --annotate-env NAME  The program's variable NAME as an annotation; again for more. Of the other variables only
                               INVOCATION_ID, container and, without --release, a version is told.
          --argv program|full  Whether the report has the program's arguments. Default: program, its name alone.
          --on LIST            Ends that make a report, with commas between: crash, file, exit, kill, any.
                               Default: crash,file. 'file' is a report that the program's runtime has written, also
                               when the program ends well; 'exit' any status but 0; 'kill' any signal.

        Standard error:
          --stderr auto        A terminal is left alone; a file is read afterwards, and so is the journal; everything
                               else is copied on its way. This is the default.
          --stderr tee|none    Copies it whatever it is; neither copies nor reads it.
          --keep SIZE          How much of its end is kept: bytes, or with KiB or MiB. Default: 64 KiB. What follows
                               the words of a crash is kept besides, up to 16 KiB.

        The program:
          --env default|none   Whether variables are set that make runtimes tell of crashes. Default: default.
          --env +NAME,-NAME    Sets one of them besides; leaves one as it is.
          --java               Has a JVM write its report into the spool; it then says so on standard error.
          --sanitizers         Has sanitizers write into the spool instead of standard error.
          --go                 Has Go programs tell of all goroutines.
          --core               Raises the limit of core files as far as it may be.
          --orphan             Lets the program live on when reports-run is killed. Default: it is killed, too.

        reports-run itself:
          --submit SECONDS     Tries to send what was caught before it ends, and what earlier runs have left while the
                               program runs: for containers, where nobody else does.
          --quiet              Says nothing on standard error.
          --help, --version

        Examples:
          reports-run --name shop --release 2.1 -- /usr/bin/shopd --port 80
          reports-run --on crash,exit --stderr tee -- make check
          reports-run --spool /spool --submit 5 -- python3 -m worker

        In a systemd unit: NotifyAccess=all, KillMode=mixed, SyslogIdentifier=NAME.

        Exit status: the program's. 128+N as process 1, if signal N has killed the program.
          125  reports-run could not start the program; the command line is wrong.
          126  The program was found and cannot be run.
          127  The program was not found.

        """
}
