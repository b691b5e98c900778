/// Tests of the module.
