"""layerwatch: from the CAD file of a part to a running layer inspector, with no defective part and no label needed."""

__version__ = "0.1.0"
