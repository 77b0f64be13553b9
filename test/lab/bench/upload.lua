-- A script for `wrk`: uploads of as many bytes as its first argument says, in chunks of 64 KiB if the second is "chunked".
local CHUNK_BYTES = 64 * 1024
local request_bytes

local function chunked(size)
  local parts = {}
  while size > 0 do
    local length = math.min(size, CHUNK_BYTES)
    parts[#parts + 1] = string.format("%x\r\n", length) .. string.rep("a", length) .. "\r\n"
    size = size - length
  end
  return table.concat(parts) .. "0\r\n\r\n"
end

function init(args)
  local size = tonumber(args[1])
  wrk.method = "POST"
  if args[2] == "chunked" then
    wrk.headers["Transfer-Encoding"] = "chunked"
    request_bytes = wrk.format() .. chunked(size)
  else
    wrk.body = string.rep("a", size)
    request_bytes = wrk.format()
  end
end

function request()
  return request_bytes
end
