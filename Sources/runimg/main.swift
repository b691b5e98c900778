print("runimg")
