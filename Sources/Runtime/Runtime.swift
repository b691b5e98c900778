/// Runtime.
