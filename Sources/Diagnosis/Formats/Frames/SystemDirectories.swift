/// Directories whose files belong to a system or a toolchain and not to a program: of Linux, Apple's systems and Android.
enum SystemDirectories {
    private static let all = [
        "/usr/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/bin/", "/sbin/", "/libexec/", "/opt/swift/",
        "/opt/swift-", "/nix/store/", "/gnu/store/", "/System/", "/Library/Apple/", "/apex/", "/system/",
        "/system_ext/", "/vendor/", "/product/", "/data/dalvik-cache/",
    ]

    /// Whether a path leads into one of them.
    static func hold(_ path: String) -> Bool {
        self.all.contains { path.hasPrefix($0) }
    }
}
