/// Registry.
