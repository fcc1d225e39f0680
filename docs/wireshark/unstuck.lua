-- Shows the messages of this course in Wireshark and tshark: the length prefix (fix 2) and the JSON header (fix 3).
--
--   tshark -X lua_script:docs/wireshark/unstuck.lua -r run.pcapng
--
-- What it shows is what the course is about: a message is put together from as many segments as it takes, a segment is
-- taken apart into as many messages as it holds. README.md beside this file says how to install and how to use it.
--
--    answers, fix 2:  [ length i32, little-endian | body ]
--    answers, fix 3:  [ length of the header, i32  | {"data_len": n, ...} | body of n bytes ]
--    requests:        [ length i32 | command ], or the bare bytes of the command

local unstuck = Proto("unstuck", "Unstuck, messages in a TCP stream")

local PREFIX_LEN = 4
local MAX_HEADER = 64 * 1024 -- as the programs have it

---------------------------------------------------------------------- What the user may set

local prefs = unstuck.prefs
prefs.prefix_ports = Pref.range("Ports of the length prefix", "8888", "Servers that speak fix 2", 65535)
prefs.json_ports = Pref.range("Ports of the JSON header", "9999",
    "Servers that speak fix 3; a port that stands in both lists speaks fix 3", 65535)
prefs.raw_requests = Pref.bool("Requests are raw", false, "Servers and clients run with --requests raw")
prefs.max_frame = Pref.uint("Longest message", 16 * 1024 * 1024, "As --max-frame, in bytes")

local ports = {} -- as registered: port = "prefix" or "json"

local function read_ports(text, protocol, into)
    for first, last in tostring(text):gmatch("(%d+)%-?(%d*)") do
        for port = tonumber(first), tonumber(last) or tonumber(first) do into[port] = protocol end
    end
end

local function register()
    local tcp = DissectorTable.get("tcp.port")
    for port in pairs(ports) do tcp:remove(port, unstuck) end
    ports = {}
    read_ports(prefs.prefix_ports, "prefix", ports)
    read_ports(prefs.json_ports, "json", ports)
    for port in pairs(ports) do tcp:add(port, unstuck) end
end

unstuck.prefs_changed = register

---------------------------------------------------------------------- What is shown

local fields = {
    length = ProtoField.int32("unstuck.length", "Length", base.DEC, nil, nil, "i32, little-endian"),
    header = ProtoField.string("unstuck.header", "Header", base.UNICODE),
    data_len = ProtoField.string("unstuck.data_len", "data_len", base.ASCII, "The length of the body, by the header"),
    command = ProtoField.string("unstuck.command", "Command", base.UNICODE),
    body = ProtoField.bytes("unstuck.body", "Body"),
    lost = ProtoField.bytes("unstuck.lost", "Bytes in no known message"),
}
unstuck.fields = fields

local violation, remark = expert.group.PROTOCOL, expert.group.SEQUENCE
local experts = {
    negative = ProtoExpert.new("unstuck.negative", "The length is negative", violation, expert.severity.ERROR),
    too_long = ProtoExpert.new("unstuck.too_long", "The length is above the limit", violation, expert.severity.ERROR),
    bad_header = ProtoExpert.new("unstuck.bad_header", "The header is not a JSON object with one data_len from 0",
        violation, expert.severity.ERROR),
    lost = ProtoExpert.new("unstuck.lost_place", "An earlier length was wrong: the stream has lost its place",
        violation, expert.severity.WARN),
    raw = ProtoExpert.new("unstuck.raw", "A raw request has no end: here is what one segment brought",
        remark, expert.severity.NOTE),
}
unstuck.experts = { experts.negative, experts.too_long, experts.bad_header, experts.lost, experts.raw }

---------------------------------------------------------------------- Streams that have lost their place

local tcp_stream = Field.new("tcp.stream")
local broken = {} -- "stream/port of the receiver" = number of the frame that broke it

function unstuck.init() broken = {} end

local function direction(pinfo) return tostring(tcp_stream()) .. "/" .. pinfo.dst_port end

local function is_broken(pinfo)
    local frame = broken[direction(pinfo)]
    return frame and pinfo.number > frame
end

local function break_off(pinfo)
    local key = direction(pinfo)
    broken[key] = math.min(broken[key] or pinfo.number, pinfo.number)
end

---------------------------------------------------------------------- One message

-- Like the decoder of the programs, each of these looks at the bytes from `at` on and has three outcomes: a message, or
-- "need more", as a number of bytes (nil, n), or an error (nil, nil, expert, text).

-- How many bytes follow a length of ours, at most `limit`.
local function length(tvb, at, limit)
    local here = tvb:len() - at
    if here < PREFIX_LEN then return nil, PREFIX_LEN - here end
    local value = tvb(at, PREFIX_LEN):le_int()
    if value < 0 then return nil, nil, experts.negative, "the length is " .. value end
    if value > limit then return nil, nil, experts.too_long, "the length is " .. value .. ", the limit " .. limit end
    return value
end

local function prefix_head(tvb, at)
    local body_len, more, wrong, text = length(tvb, at, prefs.max_frame)
    if not body_len then return nil, more, wrong, text end
    return { head_len = PREFIX_LEN, body_len = body_len }
end

local function json_head(tvb, at)
    local header_len, more, wrong, text = length(tvb, at, MAX_HEADER)
    if not header_len then return nil, more, wrong, text end
    local missing = PREFIX_LEN + header_len - (tvb:len() - at)
    if missing > 0 then return nil, missing end
    local header = header_len > 0 and tvb(at + PREFIX_LEN, header_len):string(ENC_UTF_8) or ""
    -- No reader of JSON: the one number that matters, at whatever depth. The programs are stricter.
    local found, data_len = 0, nil
    for value in header:gmatch('"data_len"%s*:%s*([^,}%s]+)') do found, data_len = found + 1, value end
    local is_object = header:match("^%s*{.*}%s*$")
    local whole = found == 1 and data_len:match("^%d+$")
    if not is_object or not whole then return nil, nil, experts.bad_header, "the header is " .. header end
    if #data_len > 10 or tonumber(data_len) > prefs.max_frame then
        return nil, nil, experts.too_long, "data_len is " .. data_len .. ", the limit " .. prefs.max_frame
    end
    return {
        head_len = PREFIX_LEN + header_len, header_len = header_len, data_len = data_len,
        body_len = tonumber(data_len),
    }
end

local function show(tvb, at, message, is_request, tree)
    local subtree = tree:add(unstuck, tvb(at, message.head_len + message.body_len))
    subtree:add_le(fields.length, tvb(at, PREFIX_LEN))
    if message.header_len then
        local header = tvb(at + PREFIX_LEN, message.header_len)
        local item = subtree:add_packet_field(fields.header, header, ENC_UTF_8)
        item:add(fields.data_len, header, message.data_len)
    end
    local body = tvb(at + message.head_len, message.body_len)
    if is_request then
        subtree:add_packet_field(fields.command, body, ENC_UTF_8)
        subtree:append_text(", request")
        return "request \"" .. body:string(ENC_UTF_8) .. "\""
    end
    if message.body_len > 0 then subtree:add(fields.body, body) end
    subtree:append_text(", answer of " .. message.body_len .. " bytes")
    return "answer of " .. message.body_len .. " bytes"
end

---------------------------------------------------------------------- A segment, or several put together

-- All messages from here on. A message that is not all here yet is asked for: Wireshark then calls again, with the
-- bytes from its first one on and with more of them.
local function messages(tvb, pinfo, tree, head, is_request)
    local at, told = 0, {}
    while at < tvb:len() do
        local message, more, wrong, text = head(tvb, at)
        if message then more = message.head_len + message.body_len - (tvb:len() - at) end
        if more and more > 0 then
            pinfo.desegment_offset, pinfo.desegment_len = at, more
            break
        end
        if wrong then
            break_off(pinfo)
            local subtree = tree:add(unstuck, tvb(at))
            if tvb:len() - at >= PREFIX_LEN then subtree:add_le(fields.length, tvb(at, PREFIX_LEN)) end
            subtree:add(fields.lost, tvb(at))
            subtree:add_proto_expert_info(wrong, text)
            table.insert(told, text)
            break
        end
        table.insert(told, show(tvb, at, message, is_request, tree))
        at = at + message.head_len + message.body_len
    end
    return told
end

function unstuck.dissector(tvb, pinfo, tree)
    local protocol = ports[pinfo.dst_port]
    local is_request = protocol ~= nil
    protocol = protocol or ports[pinfo.src_port]
    pinfo.cols.protocol = "UNSTUCK"
    local told
    if is_broken(pinfo) then
        local subtree = tree:add(unstuck, tvb())
        subtree:add(fields.lost, tvb())
        subtree:add_proto_expert_info(experts.lost)
        told = { "the stream has lost its place" }
    elseif is_request and prefs.raw_requests then
        local subtree = tree:add(unstuck, tvb())
        subtree:add_packet_field(fields.command, tvb(), ENC_UTF_8)
        subtree:add_proto_expert_info(experts.raw)
        told = { "raw request \"" .. tvb():string(ENC_UTF_8) .. "\"" }
    else
        local head = (protocol == "json" and not is_request) and json_head or prefix_head
        told = messages(tvb, pinfo, tree, head, is_request)
    end
    if #told > 0 then pinfo.cols.info = table.concat(told, ", ") end
end

register()
