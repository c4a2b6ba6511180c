import Foundation
import HTTPTypes
import VigilInterface

/// Style sheets, scripts and pictures, out of the binary.
enum Assets {
    /// One endpoint per file, `/assets/<path>`, open to all.
    ///
    /// A browser keeps a file and asks each time whether it is still the same (`ETag`), so that a new binary never meets
    /// an old script.
    static func endpoints() -> [Endpoint] {
        EmbeddedFiles.all.compactMap { path, content in
            guard let type = mediaType(of: path) else { return nil }
            let name = path.hasPrefix("Assets/") ? String(path.dropFirst("Assets/".count)) : path
            let bytes = content.bytes
            let headers: HTTPFields = [
                .contentType: type, .eTag: "\"\(fingerprint(bytes))\"", .cacheControl: "no-cache",
            ]
            return Endpoint(.get, "/assets/\(name)", "A file of the pages.", tag: "pages", access: .open, form: .page) {
                request in
                if request.headers[.ifNoneMatch] == headers[.eTag] {
                    return Response(status: .notModified, headers: headers)
                }
                return Response(headers: headers, body: .bytes(bytes))
            }
        }
        .sorted { $0.path < $1.path }
    }

    private static func mediaType(of path: String) -> String? {
        switch path.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "png": "image/png"
        case "svg": "image/svg+xml"
        default: nil
        }
    }

    /// FNV-1a, 64 bits: enough to tell two builds of a file apart, and the same on every machine.
    private static func fingerprint(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
