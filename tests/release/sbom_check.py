"""The bill of materials against CycloneDX's own schema: sbom_check.py BILL FOLDER, which has bom-1.5.SNAPSHOT.schema.json and those that it refers to."""
import json
import pathlib
import sys

import jsonschema

bill = json.loads(pathlib.Path(sys.argv[1]).read_text())
folder = pathlib.Path(sys.argv[2])
schemas = {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
schema = schemas["bom-1.5.SNAPSHOT.schema.json"]
store = {"http://cyclonedx.org/schema/" + name: text for name, text in schemas.items()}
validator = jsonschema.Draft7Validator(schema, resolver=jsonschema.RefResolver(schema["$id"], schema, store=store),
                                       format_checker=jsonschema.draft7_format_checker)
faults = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(bill)]

# What the schema cannot say: each reference leads somewhere, and nothing is there twice.
references = [bill["metadata"]["component"]["bom-ref"], *(component["bom-ref"] for component in bill["components"])]
faults += [f"{name}: twice" for name in set(references) if references.count(name) > 1]
faults += [f"{entry['ref']}: is no component" for entry in bill["dependencies"] if entry["ref"] not in references]

# A schema that lets anything through has not been applied.
if not list(validator.iter_errors({**bill, "specVersion": 1})):
    faults.append("the schema refuses nothing")
print(*faults or [f"{sys.argv[1]}: {len(bill['components'])} components, valid"], sep="\n")
sys.exit(bool(faults))
