internal import Engine
internal import OCI

/// The layers of images as a terminal shows them: one a line, the lowest first, a tree where images part.
struct LayerPicture {
    private let tree: LayerTree
    private let truncate: Bool
    private static let barWidth = 20
    private static let commandLength = 50

    init(_ tree: LayerTree, truncate: Bool) {
        self.tree = tree
        self.truncate = truncate
    }

    var text: String {
        var rows = [["LAYER", "", "SIZE", "HIDDEN", "SHARED WITH", "IMAGE", "CREATED BY"]]
        add(tree.children(of: nil), margin: "", &rows)
        for image in tree.images where image.top == nil { rows.append(["-", "", "0B", "-", "-", image.name, ""]) }
        let hidden = tree.size > 0 ? " (\(tree.hidden * 100 / tree.size)%)" : ""
        return Table.render(rows.map { $0.joined(separator: "\t") }, minimum: 1)
            + "\n\(tree.layers.count) layers, \(Human.size(tree.size)), of which \(Human.size(tree.hidden))\(hidden) hidden, "
            + "\(Human.size(shared)) shared with other images\n"
    }

    private var shared: Int64 {
        tree.layers.filter { !others($0).isEmpty }.reduce(0) { $0.addingReportingOverflow($1.size).partialValue }
    }

    /// A chain keeps its margin; below a fork each branch has its own.
    private func add(_ layers: [LayerTree.Layer], margin: String, _ rows: inout [[String]]) {
        if layers.count == 1 {
            rows.append(row(layers[0], margin))
            return add(tree.children(of: layers[0].chainID), margin: margin, &rows)
        }
        for (index, layer) in layers.enumerated() {
            let isLast = index == layers.count - 1
            rows.append(row(layer, margin + (isLast ? "└─ " : "├─ ")))
            add(tree.children(of: layer.chainID), margin: margin + (isLast ? "   " : "│  "), &rows)
        }
    }

    private func row(_ layer: LayerTree.Layer, _ margin: String) -> [String] {
        let others = others(layer)
        let shared =
            switch others.count {
            case 0: "-"
            case 1: others[0]
            default: truncate ? "\(others.count) images" : others.joined(separator: ", ")
            }
        let command = HistoryTable.oneLine(layer.createdBy)
        let names = tree.names(at: layer.chainID)
        return [
            margin + (truncate ? layer.chainID.short : layer.chainID.description), bar(layer),
            Human.size(layer.size, digits: 3), layer.hidden > 0 ? Human.size(layer.hidden, digits: 3) : "-", shared,
            names.isEmpty ? "" : names.joined(separator: ", "),
            truncate ? command.ellipsized(Self.commandLength) : command,
        ]
    }

    /// Images that have the layer and are not shown.
    private func others(_ layer: LayerTree.Layer) -> [String] { layer.others(in: tree) }

    /// Its size beside the largest one's, with its hidden part at the end.
    private func bar(_ layer: LayerTree.Layer) -> String {
        let largest = Double(max(1, tree.layers.map(\.size).max() ?? 1))
        func cells(_ bytes: Int64) -> Int { Int((Double(bytes) / largest * Double(Self.barWidth)).rounded()) }
        let whole = max(layer.size > 0 ? 1 : 0, cells(layer.size))
        let hidden = min(whole, layer.hidden > 0 ? max(1, cells(layer.hidden)) : 0)
        return String(repeating: "█", count: whole - hidden) + String(repeating: "░", count: hidden)
    }
}

extension LayerTree.Layer {
    func others(in tree: LayerTree) -> [String] {
        let given = Set(tree.images.map(\.name))
        return holders.filter { !given.contains($0) }
    }
}

/// A layer as `layers --format` has it; sizes are bytes.
enum LayerValue {
    static func row(_ layer: LayerTree.Layer, _ tree: LayerTree) -> TemplateValue {
        .row([
            TemplateValue.Field("ChainID", .string("\(layer.chainID)")),
            TemplateValue.Field("CreatedAt", .string(layer.created.map(Human.localTime) ?? "")),
            TemplateValue.Field("CreatedBy", .string(layer.createdBy)),
            TemplateValue.Field("DiffID", .string("\(layer.diffID)")),
            TemplateValue.Field("Hidden", .int(layer.hidden)),
            TemplateValue.Field("HiddenFiles", .int(Int64(layer.hiddenFiles))),
            TemplateValue.Field("Images", .strings(layer.holders)),
            TemplateValue.Field("Parent", .string(layer.parent.map { "\($0)" } ?? "")),
            TemplateValue.Field("SharedWith", .strings(layer.others(in: tree))),
            TemplateValue.Field("Size", .int(layer.size)),
        ])
    }
}
