"""Job specs: HCL or JSON text in, canonical jobs or positioned errors out."""
