// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "Reports",
    products: [
        .library(name: "Background", targets: ["Background"]),
        .library(name: "BackgroundFoundation", targets: ["BackgroundFoundation"]),
        .library(name: "Reports", targets: ["Reports"]),
        .executable(name: "reports", targets: ["ReportsCLI"]),
        .executable(name: "reports-run", targets: ["ReportsRun"]),
    ],
    dependencies: [
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", "4.0.0"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-structured-headers", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The errors of SOCKS proxies, and a resumable upload server that is not ours, to test against; AsyncHTTPClient
        // needs the package anyway.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // In the graph anyway; the tests make certificates with them.
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.1"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        // The example server only.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        // Makes the documentation. No target uses it, so that who depends on us does not even fetch it.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "CLinux"),
        // Linked into executables alone, never into a library.
        .target(name: "CStartup"),

        .target(
            name: "DurableIO",
            dependencies: [
                "CLinux",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        // Apart from DurableIO, so that reports-run does without swift-crypto.
        .target(
            name: "Digests",
            dependencies: [
                "DurableIO",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(name: "Diagnosis", swiftSettings: strict),
        .target(
            name: "CaptureRun",
            dependencies: [
                "CLinux",
                "Diagnosis",
                "DurableIO",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .target(
            name: "Background",
            dependencies: [
                "CSQLite",
                "Digests",
                "DurableIO",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSOCKS", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .target(
            name: "BackgroundFoundation",
            dependencies: [
                "Background",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .target(
            name: "Reports",
            dependencies: [
                "Background",
                "CZlib",
                "CaptureRun",
                "Diagnosis",
                "Digests",
                "DurableIO",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "ReportsCLI",
            dependencies: [
                "CStartup",
                "Diagnosis",
                "DurableIO",
                "Reports",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),

        // Linked as one static file for the package: it starts in a millisecond, and in an empty container.
        .executableTarget(
            name: "ReportsRun",
            dependencies: ["CStartup", "CaptureRun"],
            swiftSettings: strict),

        .executableTarget(
            name: "Collector",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                "CZlib",
            ],
            path: "Examples/Collector"),
        .executableTarget(
            name: "EmbeddedReporter",
            dependencies: ["Reports"],
            path: "Examples/EmbeddedReporter"),

        .executableTarget(
            name: "Transfers",
            dependencies: [
                "Background",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Examples/Transfers"),

        // Measured and run by Tests/Benchmarks/run.sh.
        .executableTarget(
            name: "CollectBenchmark",
            dependencies: ["Reports"],
            path: "Tests/Benchmarks/Collect",
            swiftSettings: strict),
        .executableTarget(
            name: "FleetSimulation",
            dependencies: ["Background"],
            path: "Tests/Benchmarks/Fleet",
            swiftSettings: strict),
        // A program whose other tasks must not wait; the tests run it.
        .executableTarget(
            name: "ResponsivenessProbe",
            dependencies: [
                "Reports",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/Responsiveness",
            swiftSettings: strict),

        .target(
            name: "TestSupport",
            dependencies: [
                "Background",
                "CSQLite",
                "Diagnosis",
                "Digests",
                "DurableIO",
                "Reports",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOResumableUpload", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "DurableIOTests",
            dependencies: [
                "Digests",
                "DurableIO",
                "TestSupport",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DiagnosisTests",
            dependencies: ["Diagnosis", "TestSupport"],
            exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "CaptureRunTests",
            dependencies: [
                "CLinux",
                "CaptureRun",
                "Diagnosis",
                "Digests",
                "DurableIO",
                "ReportsRun",
                "TestSupport",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BackgroundTests",
            dependencies: [
                "Background",
                "BackgroundFoundation",
                "Digests",
                "DurableIO",
                "TestSupport",
                "Transfers",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "ReportsTests",
            dependencies: [
                "Background",
                "Diagnosis",
                "Digests",
                "DurableIO",
                "Reports",
                "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "ReportsCLITests",
            dependencies: [
                "CaptureRun",
                "Diagnosis",
                "Digests",
                "DurableIO",
                "EmbeddedReporter",
                "Reports",
                "ReportsCLI",
                "ReportsRun",
                "ResponsivenessProbe",
                "TestSupport",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Snapshots"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
