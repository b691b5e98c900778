print("runimg-image")
