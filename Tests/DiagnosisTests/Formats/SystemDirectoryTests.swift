import Diagnosis
import Testing

@Suite("Directories of the system")
struct SystemDirectoryTests {
    /// A Swift report whose innermost frame is in a library of this path, and the next in the program.
    private func innermostIsOwn(library: String) -> Bool? {
        recognize(
            """
            { "timestamp": "2026-11-22T10:43:23Z", "kind": "crashReport", "description": "Bad pointer dereference",
              "threads": [ { "name": "shop", "crashed": true, "frames": [
                {"kind": "programCounter", "address": "0x10", "description": "post() + 1", "image": "libledger.so"},
                {"kind": "returnAddress", "address": "0x20", "description": "main + 9", "image": "shop"} ] } ],
              "images": [ { "name": "libledger.so", "path": "\(library)", "baseAddress": "0x8", "endOfText": "0x18" },
                { "name": "shop", "path": "/srv/shop", "baseAddress": "0x19", "endOfText": "0x30" } ] }

            """
        ).crash?.crashedThread?.frames.first?.isOwn
    }

    @Test(
        "a library below one of them is not the program's own",
        arguments: ["/usr/lib", "/lib", "/lib64", "/opt/swift/usr/lib", "/opt/swift-6.3/usr/lib", "/nix/store/x/lib"])
    func ofSystem(directory: String) {
        #expect(innermostIsOwn(library: "\(directory)/libledger.so") == false)
    }

    @Test(
        "a library elsewhere is, also in a directory whose name begins like one of them",
        arguments: ["/srv/shop/lib", "/opt/shop/lib", "/opt/swiftshop/lib", "/library", "/home/u/usr/lib"])
    func ofProgram(directory: String) {
        #expect(innermostIsOwn(library: "\(directory)/libledger.so") == true)
    }
}
