-- Pieces of HTML that the report's charts and tables are made of.
local visible = require "beam.base.visible"

local markup = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

--- Text for between tags and for attributes.
---@param text any
---@return string
function markup.escape(text)
  return (visible.line(tostring(text)):gsub('[&<>"]', entities))
end

--- A table; the first cell of each row names it.
---@param caption string
---@param head string[]
---@param rows string[][]
---@return string
function markup.table(caption, head, rows)
  local lines = { ('<table><caption class="unseen">%s</caption><thead><tr>'):format(markup.escape(caption)) }
  for _, cell in ipairs(head) do
    lines[#lines + 1] = ('<th scope="col">%s</th>'):format(markup.escape(cell))
  end
  lines[#lines + 1] = "</tr></thead><tbody>"
  for _, row in ipairs(rows) do
    local cells = { ('<tr><th scope="row">%s</th>'):format(markup.escape(row[1])) }
    for i = 2, #row do
      cells[i] = "<td>" .. markup.escape(row[i]) .. "</td>"
    end
    lines[#lines + 1] = table.concat(cells) .. "</tr>"
  end
  return table.concat(lines, "\n") .. "</tbody></table>"
end

local function scrolled(label, content)
  return ('<div class="scroll" tabindex="0" role="region" aria-label="%s">%s</div>'):format(label, content)
end

--- A part of the page with a heading: a table that stands open, after a picture and before further text if there are any.
---@param heading string
---@param as_table string
---@param picture string?
---@param below string?
---@return string
function markup.plain_card(heading, as_table, picture, below)
  local content = (picture and scrolled(heading, picture) or "") .. scrolled(heading .. ", as a table", as_table)
  return ('<section class="card"><h2>%s</h2>\n%s%s</section>'):format(heading, content, below or "")
end

--- The same with a picture that can be scrolled by keys, and what it shows as a table to be unfolded.
---@param heading string
---@param picture string
---@param as_table string
---@return string
function markup.card(heading, picture, as_table)
  local unfolded = ("<details><summary>as a table</summary>%s</details>"):format(scrolled(heading .. ", as a table", as_table))
  return ('<section class="card"><h2>%s</h2>\n%s\n%s</section>'):format(heading, scrolled(heading, picture), unfolded)
end

return markup
