/// Rectangles whose areas are as some weights, as square as may be ("Squarified Treemaps", Bruls, Huizing, van Wijk).
package enum Treemap {
    package struct Rectangle: Sendable, Hashable {
        package var x: Double
        package var y: Double
        package var width: Double
        package var height: Double

        package init(x: Double, y: Double, width: Double, height: Double) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }
    }

    /// One rectangle for each weight, in their order; weights are positive, the largest first.
    package static func layout(_ weights: [Double], in area: Rectangle) -> [Rectangle] {
        let total = weights.reduce(0, +)
        guard total > 0 else { return [] }
        let scale = area.width * area.height / total
        var rest = area
        var result: [Rectangle] = []
        var row: [Double] = []
        for weight in weights.map({ $0 * scale }) {
            let side = min(rest.width, rest.height)
            if !row.isEmpty, worst(row + [weight], side) > worst(row, side) {
                result += place(row, &rest)
                row = []
            }
            row.append(weight)
        }
        return result + place(row, &rest)
    }

    /// The worst ratio of sides in a row along a side of that length.
    private static func worst(_ row: [Double], _ side: Double) -> Double {
        let sum = row.reduce(0, +)
        guard let largest = row.max(), let least = row.min(), least > 0, side > 0 else { return .infinity }
        return max(side * side * largest / (sum * sum), sum * sum / (side * side * least))
    }

    /// Puts a row along the shorter side and takes its space from the rest.
    private static func place(_ row: [Double], _ rest: inout Rectangle) -> [Rectangle] {
        let sum = row.reduce(0, +)
        let side = min(rest.width, rest.height)
        guard sum > 0, side > 0 else { return row.map { _ in Rectangle(x: rest.x, y: rest.y, width: 0, height: 0) } }
        let thickness = sum / side
        var result: [Rectangle] = []
        var position = 0.0
        for weight in row {
            let length = weight / thickness
            if rest.width >= rest.height {
                result.append(Rectangle(x: rest.x, y: rest.y + position, width: thickness, height: length))
            } else {
                result.append(Rectangle(x: rest.x + position, y: rest.y, width: length, height: thickness))
            }
            position += length
        }
        if rest.width >= rest.height {
            rest.x += thickness
            rest.width = max(0, rest.width - thickness)
        } else {
            rest.y += thickness
            rest.height = max(0, rest.height - thickness)
        }
        return result
    }
}
