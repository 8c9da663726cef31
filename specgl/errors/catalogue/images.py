from __future__ import annotations

from specgl.errors.catalogue.code import Code
from specgl.errors.tree import Exit

IMAGES: dict[str, Code] = {
    "E300": Code(
        "observations without an image",
        "Rows of the table have no image: a cell is empty, or no file has the name that the spec leads\n"
        "to. The first ten are listed with the reason. Mend the path or the table, leave these rows out\n"
        "with data.exclude, or set data.missing.image to 'drop'; dropped rows are counted and listed in\n"
        "the bundle.",
        Exit.DATA,
    ),
    "E301": Code(
        "a column that selects images is not in the table",
        "A template's {column}, data.images.column or data.images.index names a column that the table\n"
        "does not have. Names are compared letter by letter: mind capitals and blanks.",
    ),
    "E302": Code(
        "a value that cannot be part of a path",
        "Cells that fill a template may hold letters, digits and . _ + - only, and may not be '.' or\n"
        "'..', so that a table cannot lead to other folders. Where the table holds whole paths, say\n"
        "data.images: {column: name} in place of a template.",
        Exit.DATA,
    ),
    "E303": Code(
        "a file outside the spec's folder",
        "Every file must lie under the folder of the spec once links are followed: table, images, and the\n"
        "folder that results go to, so that a spec from a stranger neither reads nor writes in other\n"
        "places. Move the data below the spec, put the spec above the data, name the results' folder with\n"
        "--output, or pass --allow-outside when you trust the spec.",
    ),
    "E304": Code(
        "several BIDS images match one observation",
        "The filters of data.images.bids and the entities of the row's id leave more than one file. Add\n"
        "the entity that tells them apart (space, stat, desc, run, …), or add its column to data.id.",
    ),
    "E305": Code(
        "the BIDS data set is not there",
        "data.images.bids.dataset names a folder that does not exist. It is relative to the spec's\nfolder.",
        Exit.DATA,
    ),
    "E306": Code(
        "a volume's number is none",
        "With data.images: {file: …, index: column} the column holds the volume of each row: a whole\n"
        "number counted from 0.",
        Exit.DATA,
    ),
    "E307": Code(
        "id columns that are no BIDS entities",
        "Images of a BIDS data set are matched by the columns of data.id: participant_id is sub, session\n"
        "is ses, run is run, and any other column's name is taken as the entity itself. Entities are made\n"
        "of letters and digits. Rename the column, or select images by template or column.",
    ),
    "E308": Code(
        "a volume that the file does not have",
        "The index column asks for a volume past the end of the 4-D file. Volumes are counted from 0, so\n"
        "that a file of 20 volumes has 0 to 19.",
        Exit.DATA,
    ),
    "E309": Code(
        "a file is not there",
        "A mask, map or 4-D file that the spec names does not exist or cannot be opened. Paths in a spec\n"
        "are relative to the spec's folder; paths in a column are relative to the table's.",
        Exit.DATA,
    ),
    "E310": Code(
        "no NIfTI image",
        "The file is text, empty, or of another format. NIfTI-1 and NIfTI-2 in one file are read (.nii,\n"
        ".nii.gz). A file of git-annex or Git LFS whose content was not fetched is a small text file:\n"
        "fetch it first. Pairs of .hdr and .img, and other formats, are converted with your package's own\n"
        "tools.",
        Exit.DATA,
    ),
    "E311": Code(
        "a damaged image",
        "The file ends before all its voxels, or its compressed data do not decode: most often a copy or\n"
        "a download that was cut short. Copy or make it again.",
        Exit.DATA,
    ),
    "E312": Code(
        "not one volume",
        "One 3-D volume an observation is expected, or a 4-D file with a single volume. For several\n"
        "volumes in one file say data.images: {file: all.nii.gz, index: column}. CIFTI and other vector\n"
        "files cannot be used.",
        Exit.DATA,
    ),
    "E313": Code(
        "an image too large to be meant",
        "The header declares more than 500 million voxels, or an axis longer than 32767. No memory is\n"
        "taken for such a file. If the image is real, resample it to a coarser grid first.",
        Exit.DATA,
    ),
    "E314": Code(
        "a header that promises more than the file can hold",
        "The compressed file is too small for the voxels that its header declares: gzip shrinks data by a\n"
        "factor of 1032 at most. The header is wrong or forged; no memory is taken for it.",
        Exit.DATA,
    ),
    "E315": Code(
        "values that are no real numbers",
        "The image stores complex numbers, colours or an unknown type. Statistics need one real number a\n"
        "voxel: take the magnitude, or one channel.",
        Exit.DATA,
    ),
    "E316": Code(
        "no usable affine",
        "The matrix that takes voxels to mm is singular or holds NaN, so that distances and volumes would\n"
        "mean nothing. Set the image's sform or qform from the image that it was made from.",
        Exit.DATA,
    ),
    "E317": Code(
        "images on different grids",
        "All images must have one shape and, within 0.0001, one affine; otherwise one voxel index would\n"
        "be another place in each brain. The files are listed by grid, the largest group first. Bring\n"
        "them onto one grid, or ask for it: data.resample: {to: mask, interpolation: linear}.",
        Exit.DATA,
    ),
    "E318": Code(
        "a mask, a variance or a covariate on another grid",
        "The mask, an observation's own mask, a first-level variance or a voxelwise covariate has another\n"
        "shape or affine than the images. Resample it, or say data.resample, by which masks are brought to\n"
        "the grid of the analysis by the nearest voxel, and the others as the images are.",
        Exit.DATA,
    ),
    "E319": Code(
        "resampling to a mask that is not given",
        "data.resample: {to: mask} takes the grid of the mask image, and the spec has no mask image. Name\n"
        "one, or use 'first' or the path of an image whose grid is wanted.",
    ),
    "E320": Code(
        "no voxel left",
        "The notes count what each step left: the voxels of the mask, those where enough observations\n"
        "have a value, and those whose values vary. A mask of another orientation, one image without\n"
        "values, and images where 0 is a value (data.missing.zero: data) are the usual causes.",
        Exit.DATA,
    ),
    "E321": Code(
        "an observation without any value",
        "Every voxel of the image is NaN, infinite, 0 (unless zeros are data) or outside its mask; or none\n"
        "of its effects has a usable variance, or a value of a voxelwise covariate. Under 'complete' such\n"
        "an image would leave no voxel for anybody. Mend it, or leave the row out.",
        Exit.DATA,
    ),
    "E322": Code(
        "a run without images",
        "A spec without data.images can be validated and planned, and its design looked at, but there is\n"
        'nothing to fit. Name the images: a template such as "maps/{participant_id}_effect.nii.gz", a\n'
        "column of the table, a BIDS query or a 4-D file.",
    ),
    "E323": Code(
        "a label image whose values are no labels",
        "Each voxel of a label image holds the number of its region: a whole number, 0 outside all of\n"
        "them. Fractions come from an atlas that was resampled by interpolation (make it anew, by the\n"
        "nearest neighbour; specgl itself does so, on whatever grid the atlas lies) or from a map of\n"
        "probabilities, of which the most probable region of each voxel is wanted. A voxel without a value\n"
        "(NaN) is in no region.",
        Exit.DATA,
    ),
    "E324": Code(
        "a label table that cannot be read",
        "The table that names the regions of a label image is a TSV or CSV in UTF-8 with the columns\n"
        "`index` (the region's number in the image) and `name`, in any order and beside any others, as BIDS\n"
        "has it for files that end on dseg.tsv. Each number stands once, and each has a name. Numbers of\n"
        "the image that the table lacks are called `region 12`.",
        Exit.DATA,
    ),
    "E325": Code(
        "no location in any region",
        "An inference asks about the regions of an image, or an atlas names the places of a table, and\n"
        "every location that was analysed has the label 0 there, so that nothing can be told. An image of\n"
        "another space or orientation, or a mask that leaves all its regions out, are the usual causes.",
        Exit.DATA,
    ),
    "W300": Code(
        "qform and sform disagree",
        "The header holds two matrices that put a voxel at different places. specgl, as nibabel, uses the\n"
        "sform when its code is set; other programs may use the qform and show the image elsewhere.",
    ),
    "W301": Code(
        "an image that does not say where it lies",
        "Neither qform nor sform has a code. The centre of the volume is taken as the origin and x as\n"
        "stored right to left, as NIfTI says for such files, but left and right cannot be known. Set the\n"
        "sform.",
    ),
    "W302": Code(
        "images of different spaces",
        "The file names carry different 'space-' labels although their grids agree. Templates differ by\n"
        "several mm: images of two spaces should not be analysed together.",
    ),
    "W303": Code(
        "a label image of another space",
        "The file names of the label image and of the analysed images carry different 'space-' labels.\n"
        "Each location is given the region at the same place in mm, and templates differ by several mm:\n"
        "borders of regions are off by as much. Take the atlas in the space of the images.",
    ),
    "W310": Code(
        "an observation that covers far less than the others",
        "It has values in over 10 percentage points fewer voxels than the median observation. Under\n"
        "'complete' every voxel that it lacks is lost for all. A cut field of view, a failed registration\n"
        "or a wrong mask are the usual causes; data.missing.voxel: {available: 0.8} keeps the voxels of\n"
        "the others.",
    ),
    "W311": Code(
        "an image scaled unlike the others",
        "Its mean absolute value is far from the other images': by more than ten robust standard\n"
        "deviations of the logarithm and a factor of 5, or by a factor of 20. Percent against fractions,\n"
        "a site with other units, or contrast weights that were not divided by their number are the usual\n"
        "causes.",
    ),
    "W312": Code(
        "one image under several ids",
        "The values of these observations are equal in every voxel. A row that was copied or a path that\n"
        "does not use the id counts one person several times and makes all p-values too small.",
    ),
    "W313": Code(
        "effects without a usable variance",
        "A first-level variance is a finite number above 0. Where it is 0, negative, NaN or infinite and\n"
        "the effect is not, that effect counts as missing at that voxel; the numbers of values,\n"
        "observations and locations are told. A few at the edge of the brain are usual. Many come from\n"
        "variance images that were masked otherwise than the effects, or resampled by interpolation that\n"
        "overshoots.",
    ),
    "W314": Code(
        "a variance image scaled unlike the others",
        "Its median variance, relative to its median squared effect, is far from the other images': by more\n"
        "than ten robust standard deviations of the logarithm and a factor of 5, or by a factor of 10. One\n"
        "site's standard errors among variances, or variances whose contrast weights or units are not those\n"
        "of the effects, are the usual causes. Such an image gets far too much weight, or far too little.",
    ),
    "W315": Code(
        "first-level variances that do not fit their effects",
        "At each location the variance of the effects over the observations is compared with the mean of\n"
        "their first-level variances. Whatever is true, effects vary at least by the variance of each, so\n"
        "that the ratio should be 1 or more. A median over the locations below 0.3 says that the variances\n"
        "are too large: those of other units, of effects before they were smoothed, or squares. One above\n"
        "100 says that they are too small to matter: standard errors of effects in large units, or\n"
        "variances in other units. Where squaring the images, or taking their square roots, would bring the\n"
        "ratio into that range, it is said. Standard errors whose ratio lies within it cannot be told.",
    ),
    "W316": Code(
        "effects without a value of a voxelwise covariate",
        "Where a voxelwise covariate is NaN, infinite or 0 (unless data.missing.zero says that 0 is data)\n"
        "and the effect is not, that effect counts as missing at that voxel; the numbers of values,\n"
        "observations and locations are told. Tissue and lesion maps, in which 0 is a value, want\n"
        "data.missing.zero: data.",
    ),
}
