extension Diagnosis {
    /// The names of all formats that ``recognize(_:inflate:)`` tells, without ` (damaged)`.
    package static let formatNames: [String] = names.split(whereSeparator: \.isWhitespace).map(String.init)

    private static let names = """
        empty text json binary gzip

        swift-backtrace-json swift-backtrace-text swift-stderr
        sanitizer libfuzzer valgrind-xml valgrind-text libc-abort cpp-terminate assertion fatal-log signal-stack gdb lldb
        llvm-crash gcc-crash shell-death
        rust-panic go-panic go-race zig-panic nim-exception d-exception ada-exception crystal-exception haskell-error
        ocaml-exception kotlin-native
        python-traceback python-faulthandler ruby-exception ruby-bug php-error perl-die lua-error julia-error
        dart-exception
        node-uncaught node-fatal node-report deno-uncaught bun-uncaught
        jvm-exception jvm-hs-err jvm-threads jvm-javacore jvm-openj9 jvm-native-image dotnet-unhandled dotnet-crashreport
        erlang-crash-dump erlang-report elixir-exception
        elf-core minidump macho-core plcrash zstd lz4 xz lzma bzip2
        kernel-panic kernel-oops kernel-hang kernel-warning kernel-sanitizer kernel-segfault kernel-oom vmcore journal
        journal-export journal-json coredump-text systemd-exit apport abrt abrt-report
        android-tombstone android-tombstone-proto android-exception android-anr
        apple-ips apple-crash apple-exception apple-hang apple-event apple-sample metrickit kscrash
        windows-kernel-dump sentry-event sentry-envelope container-log jvm-logged node-logged dotnet-logged go-logged reports-run
        """
}
