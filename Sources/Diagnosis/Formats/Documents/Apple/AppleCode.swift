/// Whose code is in a file of an Apple system, told by the file's path or name.
struct AppleCode {
    /// The name of the program's own file.
    let program: String?

    /// Whether it is code of the program: its own file, or one that belongs to no system.
    /// - Parameters:
    ///   - path: the file's path, or its name alone where the payload has no more.
    ///   - function: the function in it, if it has a name.
    /// - Returns: `false` also for a file that is not known.
    func isOwn(path: String?, function: String? = nil) -> Bool {
        guard let path, !path.isEmpty, path != "???" else { return false }
        if let function, self.isMachinery(function) { return false }
        if let program, path.lastPathComponent == program { return true }
        guard path.utf8.contains(UInt8(ascii: "/")) else { return !Self.isOfSystem(name: path) }
        guard !path.lastPathComponent.hasPrefix("libswift") else { return false }
        // A simulator has a whole system below a directory of its own; Xcode's tools are no part of the program.
        let bytes = Array(path.utf8)[...]
        return !Self.systemDirectories.contains { path.hasPrefix($0) }
            && !bytes.contains("/RuntimeRoot/") && !bytes.contains(".app/Contents/Developer/")
    }

    /// Whether it is a function that ends a process. A program may have one in its own file.
    private func isMachinery(_ function: String) -> Bool {
        Self.endings.contains(function) || Self.endingPrefixes.contains { function.hasPrefix($0) }
    }

    private static let endings: Set<String> = [
        "abort", "__abort", "__assert_rtn", "__cxa_throw", "objc_exception_throw", "swift_unexpectedError",
        "_swift_runtime_on_report",
    ]
    private static let endingPrefixes = ["_assertionFailure(", "-[NSException raise", "+[NSException raise"]

    private static let systemDirectories = [
        "/System/", "/usr/", "/Library/Apple/", "/Library/Developer/", "/Developer/", "/private/preboot/", "/sbin/",
        "/bin/", "/Library/Caches/com.apple.xbs/",
    ]

    /// Whether a file without a path is one of the system's frameworks that are on most stacks.
    private static func isOfSystem(name: String) -> Bool {
        name.hasPrefix("lib") && name.hasSuffix(".dylib") || self.frameworks.contains(name)
    }

    private static let frameworks: Set<String> = [
        "AppKit", "AppleMetalOpenGLRenderer", "ARKit", "AttributeGraph", "AudioToolbox", "AVFAudio", "AVFCore",
        "AVFoundation", "AVKit", "BackBoardServices", "BaseBoard", "BoardServices", "CFNetwork", "CloudKit",
        "Combine", "Contacts", "CoreAnimation", "CoreAudio", "CoreBluetooth", "CoreData", "CoreFoundation",
        "CoreGraphics", "CoreImage", "CoreLocation", "CoreMedia", "CoreMotion", "CoreServices", "CoreText",
        "CoreVideo", "DataDetectorsUI", "dyld", "dyld_sim", "EventKit", "FileProvider", "Foundation",
        "FrontBoardServices", "GPUToolsCapture", "GraphicsServices", "HIToolbox", "IOKit", "IOSurface", "ImageIO",
        "JavaScriptCore", "LinkPresentation", "MapKit", "MediaPlayer", "Metal", "MetalKit", "MetalPerformanceShaders",
        "Network", "OpenGLES", "Photos", "PhotosUI", "QuartzCore", "RealityKit", "RunningBoardServices", "SceneKit",
        "Security", "SkyLight", "SpriteKit", "StoreKit", "SwiftData", "SwiftUI", "SwiftUICore", "TextInput",
        "TextInputUI", "UIFoundation", "UIKit", "UIKitCore", "UIKitMacHelper", "UserNotifications", "VectorKit",
        "WebCore", "WebKit", "WebKitLegacy", "XCTest", "XCTestCore",
    ]
}
