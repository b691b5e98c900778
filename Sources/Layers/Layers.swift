/// Layers.
