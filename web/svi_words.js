// Every fixed sentence that the pack's scripts show, with what it is in other languages beside it. What the server says in
// its answers (plans, notes, errors) is shown as it comes. ComfyUI translates settings and commands itself: the files in
// locales/ say the same as this table. Importing this file does nothing.

// JSON, so that other tools can read it. {name} is filled in; {name:one|many} is the word that fits that number.
export const WORDS = {
  "server.silent": { "en": "ComfyUI's server does not answer", "zh": "ComfyUI 服务器没有响应" },
  "server.old": {
    "en": "this server does not know this question: restart ComfyUI (after an update of WanVideo SVI)",
    "zh": "服务器不认识这个请求：请重启 ComfyUI（更新 WanVideo SVI 之后需要重启）"
  },
  "server.status": { "en": "the server answered {status}", "zh": "服务器返回 {status}" },

  "story.no_plan": { "en": "No plan yet", "zh": "还没有计划" },
  "story.at_run": { "en": "Planned when it runs", "zh": "运行时才能算出计划" },
  "story.trouble": { "en": "No plan: {trouble}.", "zh": "没有计划：{trouble}。" },
  "story.plan": { "en": "plan", "zh": "计划" },
  "story.region": { "en": "Plan of the story", "zh": "故事的计划" },
  "story.caption": { "en": "What the story makes, clip by clip", "zh": "故事会做成什么，逐个片段列出" },
  "story.caption_old": { "en": "What the story made before the error", "zh": "出错之前的故事计划" },
  "story.clip": { "en": "clip", "zh": "片段" },
  "story.clip_title": { "en": "Press its number to go to its block", "zh": "点编号跳到它的段落" },
  "story.state": { "en": "state", "zh": "状态" },
  "story.state_title": { "en": "What the reel has of it", "zh": "胶卷里有没有它" },
  "story.frames": { "en": "frames", "zh": "帧数" },
  "story.frames_title": { "en": "Of the clip, motion frames included", "zh": "片段的帧数，含运动帧" },
  "story.until": { "en": "ends at", "zh": "结束于" },
  "story.until_title": { "en": "In the joined video", "zh": "在拼接好的视频里" },
  "story.seed": { "en": "seed", "zh": "种子" },
  "story.mode": { "en": "mode", "zh": "模式" },
  "story.prompt": { "en": "prompt", "zh": "提示词" },
  "story.kept": { "en": "kept", "zh": "保留" },
  "story.kept_title": {
    "en": "On disk, and made of these settings, as far as can be seen before the run (models and pictures are compared when it runs)",
    "zh": "在磁盘上，就是用这些设置做的；运行之前只能看到这些（模型和图片要到运行时才比较）"
  },
  "story.stale": { "en": "stale", "zh": "过期" },
  "story.stale_title": {
    "en": "On disk, but made otherwise: it is made again, as far as can be seen before the run (models and pictures are compared when it runs)",
    "zh": "在磁盘上，但不是这样做的：要重做；运行之前只能看到这些（模型和图片要到运行时才比较）"
  },
  "story.to_do": { "en": "to do", "zh": "待做" },
  "story.to_do_title": { "en": "Not on disk yet", "zh": "磁盘上还没有" },
  "story.unknown_title": { "en": "Not known before the run", "zh": "运行之前无法知道" },
  "story.count_kept": { "en": "{count} kept", "zh": "{count} 个保留" },
  "story.count_stale": { "en": "{count} stale", "zh": "{count} 个过期" },
  "story.count_to_do": { "en": "{count} to do", "zh": "{count} 个待做" },
  "story.comma": { "en": ", ", "zh": "，" },
  "story.reel": { "en": "reel: {folder}", "zh": "胶卷：{folder}" },
  "story.reel_trouble": { "en": "The reel cannot be looked at: {trouble}", "zh": "无法查看胶卷：{trouble}" },
  "story.line_title": { "en": "Line {line} of the story", "zh": "故事第 {line} 行" },
  "story.overlap_first": {
    "en": "{overlap} of them: not in the video, they repeat what it goes on from",
    "zh": "其中 {overlap} 帧不在视频里：它们重复所接续的内容"
  },
  "story.overlap": { "en": "{overlap} of them: the clip before's", "zh": "其中 {overlap} 帧是前一片段的" },
  "story.until_frames": { "en": "{frames} frames", "zh": "{frames} 帧" },
  "story.plain_model": { "en": "With the model without the SVI LoRA", "zh": "用不带 SVI LoRA 的模型" },
  "story.cut": { "en": "cut", "zh": "新场景" },
  "story.cut_title": { "en": "A new scene: nothing of the clip before leads it", "zh": "新场景：前一个片段不引出它" },
  "story.from": { "en": "from {from}", "zh": "接片段 {from}" },
  "story.from_title": { "en": "Clip {from} leads it, not the one before", "zh": "由片段 {from} 引出，而不是前一个" },
  "story.mend": { "en": "mend", "zh": "修补" },
  "story.mend_title": {
    "en": "Made between its neighbours, clips {before} and {after}, which stay",
    "zh": "在邻居片段 {before} 和 {after} 之间制作，它们不变"
  },
  "story.takes": { "en": "{takes} takes", "zh": "{takes} 条" },
  "story.takes_title": { "en": "Seeds {seed} to {last_seed}, pick {pick}", "zh": "种子 {seed} 到 {last_seed}，pick {pick}" },
  "story.stop": { "en": "stop", "zh": "等待选择" },
  "story.stop_title": { "en": "The run ends here, so that you choose a take", "zh": "运行在这里结束，由你选一条" },
  "story.between": { "en": "… {count} clips between …", "zh": "…… 中间还有 {count} 个片段 ……" },
  "story.go": { "en": "Go to line {line}", "zh": "跳到第 {line} 行" },
  "story.go_title": { "en": "Put the cursor there", "zh": "把光标放到那里" },

  "video.play": { "en": "▶ Play the video", "zh": "▶ 播放视频" },
  "video.play_title": { "en": "The joined video of the {clips} clips on disk", "zh": "磁盘上 {clips} 个片段拼接好的视频" },
  "video.play_last": { "en": "▶ Play the last video", "zh": "▶ 播放上一个视频" },
  "video.play_last_title": {
    "en": "A joined video of the reel as it was before; the clips on disk are not joined yet",
    "zh": "胶卷以前的拼接视频；磁盘上现有的片段还没有拼接"
  },
  "video.label": { "en": "The joined video of the reel", "zh": "胶卷拼接好的视频" },
  "video.tab": { "en": "In a new tab", "zh": "在新标签页中打开" },
  "video.gone": { "en": "{file} cannot be played: was it deleted?", "zh": "{file} 无法播放：是不是被删除了？" },
  "close": { "en": "Close", "zh": "关闭" },
  "cancel": { "en": "Cancel", "zh": "取消" },

  "strip.would_not_run": { "en": "This would not run: {error}", "zh": "这样无法运行：{error}" },
  "strip.frames": { "en": "frames", "zh": "帧" },
  "strip.frame": { "en": "frame {first}", "zh": "第 {first} 帧" },
  "strip.span": { "en": "frames {first}-{last}", "zh": "第 {first}-{last} 帧" },
  "strip.latent": { "en": "latent {latent}, {frames}: {holds}", "zh": "latent {latent}，{frames}：{holds}" },
  "strip.latent_heard": {
    "en": "latent {latent} of {latents}, {frames}: {holds}", "zh": "latent {latent}（共 {latents} 个），{frames}：{holds}"
  },
  "strip.frame_at": { "en": "frame {frame}, latent {latent}: {holds}", "zh": "第 {frame} 帧，latent {latent}：{holds}" },
  "strip.region": { "en": " (in region)", "zh": "（区域内）" },
  "strip.mask_from": { "en": "mask from {source}", "zh": "遮罩来自 {source}" },
  "strip.from": { "en": "from {source}", "zh": "来自 {source}" },
  "strip.elsewhere": { "en": "elsewhere", "zh": "其余各处" },
  "strip.white": { "en": "{count} white", "zh": "{count} 白" },
  "strip.black": { "en": "{count} black", "zh": "{count} 黑" },
  "strip.in_region_only": { "en": "kept in region only", "zh": "只保留区域内" },
  "strip.kept": {
    "en": "kept: white in known_mask (wrapper), black in concat_mask (native)",
    "zh": "保留的帧：known_mask 中为白色（wrapper），concat_mask 中为黑色（原生）"
  },

  "migrate.command": { "en": "SVI: migrate this graph", "zh": "SVI：迁移此工作流" },
  "migrate.toast": { "en": "SVI: migrate", "zh": "SVI：迁移" },
  "migrate.defect": { "en": "Defects", "zh": "缺陷" },
  "migrate.rewrite": { "en": "Replaced by nodes of WanVideo SVI", "zh": "由 WanVideo SVI 的节点取代" },
  "migrate.left": { "en": "Left as they are", "zh": "保持原样" },
  "migrate.note": { "en": "Notes", "zh": "说明" },
  "migrate.node": { "en": "{title} (node {node})", "zh": "{title}（节点 {node}）" },
  "migrate.node_inside": {
    "en": "{title} (node {node} in {subgraph})", "zh": "{title}（{subgraph} 里的节点 {node}）"
  },
  "migrate.show": { "en": "Show it", "zh": "在画布上显示它" },
  "migrate.repaired": { "en": "repaired: ", "zh": "已修复：" },
  "migrate.to_do": { "en": "to do: ", "zh": "待办：" },
  "migrate.nothing": {
    "en": "Nothing to do: no pattern and no defect that is known.", "zh": "没有要做的：没有已知的接法，也没有已知的缺陷。"
  },
  "migrate.summary": {
    "en": "{rewrites} {rewrites:pattern|patterns} replaced, {defects} {defects:defect|defects}{open}. {before} nodes before, {after} after. Nothing is changed yet.",
    "zh": "取代 {rewrites} 处接法，{defects} 个缺陷{open}。之前 {before} 个节点，之后 {after} 个。现在还没有改动任何东西。"
  },
  "migrate.open": { "en": " ({count} for you to repair)", "zh": "（其中 {count} 个要你自己修复）" },
  "migrate.gone": { "en": "No longer used and taken out: {nodes}", "zh": "不再使用，已去掉：{nodes}" },
  "migrate.story": { "en": "As one long video, in a new tab", "zh": "做成一个长视频，在新标签页中打开" },
  "migrate.story_title": {
    "en": "Make the whole chain one WanVideo SVI Long Video. This graph stays as it is.",
    "zh": "把整条片段链变成一个 WanVideo SVI 长视频节点。这个工作流保持原样。"
  },
  "migrate.story_name": { "en": "{name} as a story", "zh": "{name} 故事版" },
  "migrate.unnamed": { "en": "workflow", "zh": "工作流" },
  "migrate.apply": { "en": "Migrate (undo with Ctrl+Z)", "zh": "迁移（按 Ctrl+Z 撤销）" },
  "migrate.changed": {
    "en": "Nothing was changed: this is no longer the graph that was looked at. Close this, and migrate again.",
    "zh": "没有改动任何东西：这已经不是刚才检查的那个工作流了。请关闭，再迁移一次。"
  },

  "settings.files": { "en": "Files", "zh": "文件" },
  "settings.pictures": { "en": "Pictures", "zh": "图片" },
  "settings.nodes": { "en": "Nodes", "zh": "节点" },
  "settings.reel_folder": { "en": "Reel folder", "zh": "胶卷文件夹" },
  "settings.reel_folder_tooltip": {
    "en": "A folder in ComfyUI's output folder. Reels that exist stay where they are.",
    "zh": "ComfyUI 输出文件夹里的一个文件夹。已有的胶卷留在原处。"
  },
  "settings.preview_width": { "en": "Preview width", "zh": "预览宽度" },
  "settings.preview_width_tooltip": {
    "en": "How many pixels wide the pictures on nodes may be, 64 at least. 0 = as they are drawn.",
    "zh": "节点上的图片最多多少像素宽，至少 64。0 = 不限制，按绘制时的大小。"
  },
  "settings.mode": { "en": "Mode of new nodes", "zh": "新节点的模式" },
  "settings.mode_tooltip": {
    "en": "Which mode SVI Embeds and SVI Long Video begin with. Nodes that are in a graph keep theirs.",
    "zh": "WanVideo SVI 图像嵌入和 WanVideo SVI 长视频新建时使用的模式。工作流里已有的节点保持原来的模式。"
  },
  "settings.as_on_node": { "en": "as on the node", "zh": "与节点上一致" }
};

/** The sentence in English: for what ComfyUI translates itself, and for names that are looked up by it. */
export const english = (key) => WORDS[key].en;

/** ComfyUI's language as it is set now: "en", "zh", "zh-TW" ... */
const language = () => String(globalThis.window?.comfyAPI?.app?.app?.extensionManager?.setting?.get("Comfy.Locale") ?? "en");

/** A sentence of the table in ComfyUI's language, else in English. zh-TW has no text of its own and gets that of zh. */
export function say(key, values = {}) {
  const row = WORDS[key];
  const text = row[language().split("-")[0]] ?? row.en;
  return text.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) => (
    one === undefined ? values[name] : Number(values[name]) === 1 ? one : many));
}
