"""Files read and written whole: outputs that appear together, tables, journals."""
