"""The pages. One file a page; each declares PAGE; nothing else is needed."""

import sys

from optim_core.discovery import declared
from ui.page import Page

PAGES: dict[str, Page] = {
    page.key: page
    for page in sorted(
        declared(sys.modules[__name__], "PAGE", Page), key=lambda p: (p.order, p.title)
    )
}
