internal import Glibc
internal import ImageWorker

exit(Worker.main())
