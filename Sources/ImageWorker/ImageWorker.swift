/// ImageWorker.
