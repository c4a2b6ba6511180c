// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "EmbedVigil",
    dependencies: [.package(name: "vigil", path: "../..")],
    targets: [
        .executableTarget(
            name: "EmbedVigil",
            dependencies: [
                .product(name: "Vigil", package: "vigil"), .product(name: "VigilClient", package: "vigil"),
            ])
    ]
)
