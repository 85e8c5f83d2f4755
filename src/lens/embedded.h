/* Pages of this room; what their writers need stands in base/page.h. */
#ifndef TL_LENS_EMBEDDED_H
#define TL_LENS_EMBEDDED_H

#include "base/page.h"

extern const char tl_page_attention[];

#endif
