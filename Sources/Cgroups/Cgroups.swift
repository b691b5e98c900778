/// Cgroups.
