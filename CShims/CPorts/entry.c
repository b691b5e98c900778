#include "CPorts.h"
