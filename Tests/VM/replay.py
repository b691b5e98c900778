"""Usage: replay.py LOG DISK all|random. Makes DISK what a disk with a volatile cache is when the power goes after all of
the writes in LOG, or after a random one: with everything before the last flush, and of what came after it each block or
not, by chance. LOG is qemu's blklogwrites (the format of Linux's dm-log-writes): a first sector with magic, version,
number of entries and sector size, then an entry's sector (where, how many sectors, flags) and its data, one after the
other. Prints what was done."""
import os
import random
import struct
import sys

MAGIC, FLUSH = 0x6A736677736872, 1
BLOCK = 4096

with open(sys.argv[1], "rb") as log:
    magic, version, count, size = struct.unpack("<QQQI", log.read(28))
    if magic != MAGIC or version != 1:
        sys.exit(f"{sys.argv[1]}: not a log of writes")
    end = count if sys.argv[3] == "all" else random.randint(1, count)
    entries, position, last_flush = [], size, 0
    for number in range(end):
        log.seek(position)
        sector, sectors, flags = struct.unpack("<QQQ", log.read(24))
        if flags & ~FLUSH:
            sys.exit(f"{sys.argv[1]}: entry {number} is neither a write nor a flush but {flags}")
        length = sectors * size
        if flags & FLUSH:
            last_flush = number
        entries.append((sector * size, position + size, length))
        position += size + length

    disk = os.open(sys.argv[2], os.O_WRONLY)
    lost = 0
    for number, (offset, start, length) in enumerate(entries):
        for begin in range(0, length, BLOCK):
            if number > last_flush and random.random() < 0.5:
                lost += 1
                continue
            part = min(BLOCK, length - begin)
            log.seek(start + begin)
            if os.pwrite(disk, log.read(part), offset + begin) != part:
                sys.exit(f"{sys.argv[2]}: short write")
    os.close(disk)
print(f"{lost} blocks lost after {end} of {count} writes")
