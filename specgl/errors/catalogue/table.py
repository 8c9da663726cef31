from __future__ import annotations

from specgl.errors.catalogue.code import Code
from specgl.errors.tree import Exit

TABLE: dict[str, Code] = {
    "E210": Code(
        "a column named in the spec is not in the table",
        """Columns are found by their exact name: capitals and spaces count. The message lists the columns
that the table has. Correct the name in the spec, or the table's header. A name with a space at
its end, which no editor shows, is a frequent cause.""",
    ),
    "E211": Code(
        "the table has no id column",
        """Every row is an observation and needs an id, in the column that `data.id` names
(`participant_id` unless said otherwise). Name another column there, or several, which are
joined by `_`. When the whole header reads as one name, the separator does not fit the file's
ending: tabs for .tsv, commas for .csv.""",
        Exit.DATA,
    ),
    "E212": Code(
        "an observation's id is missing",
        """Rows meet images by id, never by position, so every row needs one. Fill in the cell or delete
the row.""",
        Exit.DATA,
    ),
    "E213": Code(
        "no rows are left to analyse",
        """Either the table has no rows, or `include`, `exclude` and missing values leave none. The notes
say how many rows went for which reason.""",
        Exit.DATA,
    ),
    "E214": Code(
        "an id stands in several rows",
        """Ids are unique, since they decide which image belongs to which row. With several sessions or
tasks for a subject, give all columns that tell rows apart: `id: [participant_id, session]`.
Otherwise a row is there twice: delete it.""",
        Exit.DATA,
    ),
    "E215": Code(
        "a variable of the model is missing in some rows",
        """Missing values (`n/a` or an empty cell) are never filled in. Complete the table, leave the rows
out by `data.exclude`, or have them dropped with `missing: {covariate: drop}` under `data`; each
dropped row is then listed in the bundle with its reason.""",
        Exit.DATA,
    ),
    "E216": Code(
        "the table cannot be read",
        """A table is a plain text file ending in .tsv (tabs), .csv (commas) or .txt (tab, comma or
semicolon, whichever its header has most of), of at most 256 MB and a million rows. Compressed
files and spreadsheets are not read: save them as tab-separated text.""",
        Exit.DATA,
    ),
    "E217": Code(
        "a column of the table has no name, or the name of another",
        """Columns are found by name, so that every column with values needs a name of its own. A saved
index (a first column without a name) and empty columns are left out with a warning instead.""",
        Exit.DATA,
    ),
    "E218": Code(
        "a row does not fit the header",
        """Every row has as many cells as the header has names. A cell that holds the separator, a line
break or a quotation mark at its beginning is put in quotation marks, those inside written
twice. R's `write.table` saves row names without a column name unless told `row.names = FALSE`.""",
        Exit.DATA,
    ),
    "E219": Code(
        "the table is not UTF-8 text",
        """Tables are read as UTF-8, with or without a byte-order mark. Files saved by a spreadsheet in
another encoding (Latin-1, UTF-16) show this as soon as they hold a letter beyond ASCII. Save as
UTF-8.""",
        Exit.DATA,
    ),
    "E220": Code(
        "a continuous variable has a cell that is no number",
        """Numbers have a decimal point and no thousands separator; `inf` is refused, and a missing value
is written `n/a` or left empty (`NA`, `nan` and `None` are text like any other). If the column
holds levels, declare it `type: categorical`.""",
        Exit.DATA,
    ),
    "E221": Code(
        "a cell is no level of its variable, or a level has two spellings",
        """With `levels` declared, every analysed cell must be one of them, to the letter. Without,
spellings that differ in case, spaces, hyphens or the way a number is written (`Patient`,
`patient `; `1`, `01`) are refused, since each would silently become a level of its own. Mend
the table; if both are meant, declare both in `levels`. Rows of a group that is not analysed are
left out by `include` or `exclude`.""",
        Exit.DATA,
    ),
    "E222": Code(
        "a declared level has no observation",
        """A level without observations has no mean to estimate and would leave a column of zeros in the
design. Take it out of `levels`, or look at which rows `include`, `exclude`, missing covariates
and missing images have taken away.""",
    ),
    "E223": Code(
        "a covariate is constant",
        """A covariate with the same value in all analysed rows explains nothing: centred, it is a column
of zeros. Take it out of the formula, or look at what `include` and `exclude` leave.""",
    ),
    "E224": Code(
        "a value of include or exclude is not in the table",
        """Values are compared as text with the column's cells, so `1` is not `01`. A value that is never
met does nothing, which is rarely what was meant. `n/a` stands for missing cells.""",
    ),
    "E225": Code(
        "a categorical variable has one level only",
        """With one level there is nothing to compare. Take the variable out of the formula, or look at
what `include` and `exclude` leave.""",
    ),
    "E226": Code(
        "a cell is a value of include or exclude in another spelling",
        """The cell differs from a listed value only in case, spaces, hyphens or the way a number is
written, so its row would be dropped, or kept, by a slip of the pen. Mend the table, or list
both spellings.""",
        Exit.DATA,
    ),
    "E227": Code(
        "a row has no block",
        """With `model.block`, the mean of each block is taken out of its rows, and with `permutation.blocks`
rows change places inside blocks or with them, so every analysed row must say to which block it
belongs. Fill in the table, or leave the row out by `data.exclude`.""",
        Exit.DATA,
    ),
    "E228": Code(
        "a categorical variable has too many levels",
        """More than 1000 levels is an identifier or a number, not a factor. Declare numbers `type:
continuous`; repeated measures of a subject are told by `model.block`.""",
    ),
    "W220": Code(
        "a first column without a name was left out",
        """Tables saved by pandas or R often begin with a nameless column of row numbers. It is left out.
Save the table without its index to be rid of this warning, or name the column if it means
something.""",
    ),
    "W221": Code(
        "a column without name and values was left out",
        """The header has one separator more than it has names, as spreadsheets tend to write. Nothing is
lost.""",
    ),
    "W222": Code(
        "a column's name has spaces around it",
        """Spaces belong to the name, so the spec must write them too. It is better to take them out of the
header.""",
    ),
    "W224": Code(
        "two blocks look like one in two spellings",
        """Two values of the column that `model.block` or `permutation.blocks` names differ only in
case, spaces, hyphens or the way a number is written. They are taken for two blocks. Mend the
table if they are one.""",
    ),
    "W225": Code(
        "levels that are numbers are sorted as text",
        """Levels that are not declared are sorted as text, in which 10 comes before 2. Polynomial and
Helmert coding depend on the order: declare `levels` in the order that is meant.""",
    ),
}
