"""All that imports FiftyOne: views as a source, fields, runs, and what is done on a view."""
