"""`make demo`: the whole job on a small drawn dataset, or on the user's own COCO file."""
