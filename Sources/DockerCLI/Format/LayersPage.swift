internal import Engine
internal import OCI

/// A page that shows layers as a map: an area for each, as large as its files, with its directories in it and what is
/// hidden hatched. One file with nothing from elsewhere and no program in it; all text of images is escaped.
struct LayersPage {
    private let tree: LayerTree
    /// What is smaller than this share of the map can't be seen.
    private static let leastShare = 0.0005

    init(_ tree: LayerTree) { self.tree = tree }

    var text: String {
        let names = tree.images.map { Self.escaped($0.name) }.joined(separator: ", ")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>Layers of \(names)</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <h1>Layers of \(names)</h1>
            <p>\(tree.layers.count) layers, \(Human.size(tree.size)); \(Human.size(tree.hidden)) of it in files that a later \
            layer replaces or deletes (hatched).</p>
            <div class="map">
            \(map)</div>
            \(table)
            </body>
            </html>

            """
    }

    private static let style = """
        :root { color-scheme: light dark; --line: #8886; --ink: light-dark(#1b1b1b, #eee); --page: light-dark(#fff, #161618); }
        body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: var(--ink); background: var(--page); }
        h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
        .map { position: relative; width: 100%; aspect-ratio: 16 / 9; }
        .layer, .part { position: absolute; box-sizing: border-box; overflow: hidden; }
        .layer { border: 2px solid var(--page); }
        .part { border: 1px solid var(--line); font-size: 11px; padding: 1px 3px; white-space: nowrap; }
        .hidden { position: absolute; inset: auto 0 0 0;
          background: repeating-linear-gradient(45deg, #0007 0 3px, #fff3 3px 7px); }
        .scroll { overflow-x: auto; margin-top: 1.5rem; }
        table { border-collapse: collapse; }
        th, td { text-align: left; vertical-align: top; padding: .25rem .75rem; border-top: 1px solid var(--line); }
        td.number { text-align: right; white-space: nowrap; }
        td.step { font-family: ui-monospace, monospace; font-size: 12px; overflow-wrap: anywhere; }
        .key { display: inline-block; width: .8em; height: .8em; margin-right: .5em; }
        """

    // MARK: Map

    private var map: String {
        let shown = tree.layers.enumerated().filter { $0.element.size > 0 }.sorted { $0.element.size > $1.element.size }
        let area = Treemap.Rectangle(x: 0, y: 0, width: 1600, height: 900)
        let places = Treemap.layout(shown.map { Double($0.element.size) }, in: area)
        return zip(shown, places).map { entry, place in
            let layer = entry.element
            let title =
                "\(layer.chainID.short): \(sizes(layer.size, layer.hidden)), \(HistoryTable.oneLine(layer.createdBy))"
            return
                "<div class=\"layer\" style=\"\(Self.position(place, in: area));background:\(Self.color(entry.offset))\" "
                + "title=\"\(Self.escaped(title))\">\n\(parts(of: layer, place))</div>\n"
        }.joined()
    }

    private func parts(of layer: LayerTree.Layer, _ place: Treemap.Rectangle) -> String {
        let shown = layer.parts.filter { Double($0.bytes) > Double(tree.size) * Self.leastShare }
        let area = Treemap.Rectangle(x: 0, y: 0, width: place.width, height: place.height)
        let places = Treemap.layout(shown.map { Double($0.bytes) }, in: area)
        return zip(shown, places).map { part, place in
            let share = Self.percent(Double(part.hidden) / Double(max(1, part.bytes)))
            let hatch = part.hidden > 0 ? "<div class=\"hidden\" style=\"height:\(share)\"></div>" : ""
            let name = Self.escaped(part.path)
            return "<div class=\"part\" style=\"\(Self.position(place, in: area))\" "
                + "title=\"\(name): \(sizes(part.bytes, part.hidden))\">\(name)\(hatch)</div>\n"
        }.joined()
    }

    private static func position(_ place: Treemap.Rectangle, in area: Treemap.Rectangle) -> String {
        "left:\(percent(place.x / area.width));top:\(percent(place.y / area.height));"
            + "width:\(percent(place.width / area.width));height:\(percent(place.height / area.height))"
    }

    private static func percent(_ share: Double) -> String {
        let hundredths = Int((share * 10000).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)%"
    }

    /// Neighbours differ: the golden angle.
    private static func color(_ index: Int) -> String {
        let hue = (index * 137 + 210) % 360
        return "light-dark(hsl(\(hue) 65% 78%), hsl(\(hue) 40% 32%))"
    }

    private func sizes(_ bytes: Int64, _ hidden: Int64) -> String {
        Human.size(bytes) + (hidden > 0 ? ", \(Human.size(hidden)) hidden" : "")
    }

    // MARK: Table

    private var table: String {
        let rows = tree.layers.enumerated().map { index, layer in
            let others = layer.others(in: tree)
            let cells = [
                "<td><span class=\"key\" style=\"background:\(Self.color(index))\"></span>\(layer.chainID.short)</td>",
                "<td class=\"number\">\(Human.size(layer.size))</td>",
                "<td class=\"number\">\(layer.hidden > 0 ? Human.size(layer.hidden) : "–")</td>",
                "<td>\(Self.escaped(others.isEmpty ? "–" : others.joined(separator: ", ")))</td>",
                "<td>\(Self.escaped(tree.names(at: layer.chainID).joined(separator: ", ")))</td>",
                "<td class=\"step\">\(Self.escaped(HistoryTable.oneLine(layer.createdBy)))</td>",
            ]
            return "<tr>\(cells.joined())</tr>\n"
        }
        return """
            <div class="scroll"><table>
            <tr><th>Layer</th><th>Size</th><th>Hidden</th><th>Shared with</th><th>Image</th><th>Created by</th></tr>
            \(rows.joined())</table></div>
            """
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
