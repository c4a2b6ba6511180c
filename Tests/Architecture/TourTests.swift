import Testing

/// `Sources/README.md` is the tour through the code: it must lead through every room.
@Suite struct TourTests {
    @Test func `the tour has one paragraph for every target`() throws {
        let tour = try SourceTree.text(of: "Sources/README.md")
        for (layer, targets) in try SourceTree.targets() {
            #expect(tour.contains("## \(layer)"), "Sources/README.md has no section for the layer \(layer)")
            for target in targets {
                #expect(tour.contains("**\(target)**"), "Sources/README.md does not name \(layer)/\(target)")
            }
        }
    }

    @Test func `the readme fits into ten minutes`() throws {
        let lines = try SourceTree.text(of: "README.md").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 200, "README.md has \(lines.count) lines")
    }
}
