"""One module a group of pages; urls.py imports from them."""
