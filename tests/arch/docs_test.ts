import { assertEquals } from "@std/assert";
import { withAddresses } from "../../scripts/docs.ts";

Deno.test("lines of import on pages of the reference name what a script can import", () => {
  const rows: [page: string, addressed: string][] = [
    ["import { lookUp } from &quot;core&quot;;", "import { lookUp } from &quot;grantlab/core&quot;;"],
    ["import { a } from &quot;linux/mm&quot;;", "import { a } from &quot;grantlab/linux/mm&quot;;"],
    ["import { world } from &quot;.&quot;;", "import { world } from &quot;grantlab&quot;;"],
    [
      "import { lookUp } from &quot;grantlab/core&quot;;",
      "import { lookUp } from &quot;grantlab/core&quot;;",
    ],
    ["taken from &quot;elsewhere&quot;", "taken from &quot;elsewhere&quot;"],
  ];
  for (const [page, addressed] of rows) assertEquals(withAddresses(page), addressed);
});
