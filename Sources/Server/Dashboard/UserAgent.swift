/// What a browser or program says of itself, cut to what people know it by.
enum UserAgent {
    /// `Firefox on Windows`; what is no browser is named by the first word of what it says.
    static func text(_ agent: String) -> String {
        guard agent.hasPrefix("Mozilla/") else {
            let name = agent.prefix { $0 != " " && $0 != "/" }
            return name.isEmpty ? "unknown program" : String(name)
        }
        // In this order: most browsers also say the names of those after them.
        let browsers = [
            ("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
            ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ]
        let systems = [
            ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
        ]
        let browser = browsers.first { agent.contains($0.0) }?.1 ?? "Browser"
        guard let system = systems.first(where: { agent.contains($0.0) })?.1 else { return browser }
        return "\(browser) on \(system)"
    }
}
