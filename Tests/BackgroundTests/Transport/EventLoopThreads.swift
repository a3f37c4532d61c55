import Glibc

/// How many event loops have a thread in this process.
func loopCount() -> Int {
    guard let tasks = opendir("/proc/self/task") else { return -1 }
    defer { closedir(tasks) }
    var count = 0
    while let entry = readdir(tasks) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard let file = fopen("/proc/self/task/\(name)/comm", "r") else { continue }
        var text = [CChar](repeating: 0, count: 64)
        if fgets(&text, 64, file) != nil, strstr(text, "NIO-ELT") != nil { count += 1 }
        fclose(file)
    }
    return count
}
