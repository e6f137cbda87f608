package catalog

import "github.com/cldcde/restash/handler"

// kindRoutes is what tells the routes of extensions and of MCP servers apart.
type kindRoutes struct {
	kind     Kind
	path     string // of the list
	one      string // name of an item in JSON
	many     string // name of a list in JSON
	tag      string // of all lists
	list     handler.Config
	detail   handler.Config
	userList handler.Config
	userPath string   // last part of the path of a user's list
	featType string   // value of {type} in /api/featured/{type}
	curated  []string // ids of featured items, in their order
}

var extensionKind = kindRoutes{
	kind: Extension, path: "/api/extensions", one: "extension", many: "extensions", tag: ExtensionsList.Tags[0],
	list: ExtensionsList, detail: ExtensionDetail, userList: UserExtensions,
	userPath: "extensions", featType: "extensions",
	curated: []string{
		"anthropic-ai-claude-code", "openai-codex", "google-gemini-cli", "opencode-ai",
		"github-copilot", "zed-industries-claude-code-acp",
	},
}

var mcpKind = kindRoutes{
	kind: MCP, path: "/api/mcp", one: "mcpServer", many: "mcpServers", tag: McpList.Tags[0],
	list: McpList, detail: McpDetail, userList: UserMcp,
	userPath: "mcp", featType: "mcp",
	curated: []string{
		"playwright-mcp", "chrome-devtools-mcp", "upstash-context7-mcp", "fastmcp",
		"storybook-mcp", "supabase-mcp-server-supabase",
	},
}

var kinds = []kindRoutes{extensionKind, mcpKind}

func kindOf(kind Kind) kindRoutes {
	if kind == MCP {
		return mcpKind
	}
	return extensionKind
}
