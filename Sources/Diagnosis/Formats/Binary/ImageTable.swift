/// Finds the image that holds an address.
struct ImageTable {
    private let images: [Crash.Image]

    /// - Parameter images: in any order; those without an end are left out.
    init(_ images: [Crash.Image]) {
        self.images = images.filter { $0.baseAddress != nil && $0.endAddress != nil }
            .sorted { ($0.baseAddress ?? 0) < ($1.baseAddress ?? 0) }
    }

    func image(at address: UInt64) -> Crash.Image? {
        // The last one that begins at the address or before it.
        var (low, high) = (0, self.images.count)
        while low < high {
            let middle = (low + high) / 2
            if (self.images[middle].baseAddress ?? 0) <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, let end = self.images[low - 1].endAddress, address < end else { return nil }
        return self.images[low - 1]
    }
}
