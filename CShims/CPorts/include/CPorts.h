// The process that holds the published ports of a container for as long as that runs.
#ifndef CPORTS_H
#define CPORTS_H

/// Its argv[0], by which the executable becomes one before Swift starts.
#define CPORTS_NAME "runimg-ports"

#endif
