"""The model files that the example workflows load."""

from __future__ import annotations

MODEL = "Wan2_1-I2V-14B-480P_fp8_e4m3fn.safetensors"
DISTILL_LORA = "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors"
SVI_LORA = {
    "film": "svi-film-opt-10212025.safetensors", "shot": "svi-shot.safetensors", "talk": "svi-talk.safetensors",
    "dance": "svi-dance.safetensors",
}  # fmt: skip
MULTITALK = "WanVideo_2_1_Multitalk_14B_fp8_e4m3fn.safetensors"
WAV2VEC = "wav2vec2-chinese-base_fp16.safetensors"
HUMO_MODEL = "Wan2_1-HuMo-14B_fp8_e4m3fn_scaled_KJ.safetensors"
WHISPER = "whisper_large_v3_encoder_fp16.safetensors"
UNIANIMATE_LORA = "UniAnimate-Wan2.1-14B-Lora-12000-fp16.safetensors"
VAE = "Wan2_1_VAE_bf16.safetensors"
TEXT_ENCODER = "umt5-xxl-enc-bf16.safetensors"
CLIP_VISION = "clip_vision_h.safetensors"
FUN_MODEL = "Wan2.1-Fun-InP-14B_fp8_e4m3fn.safetensors"
PRO_MODEL = "Wan2_2-I2V-A14B-{}_fp8_e4m3fn_scaled_KJ.safetensors"
PRO_DISTILL = "Wan2.2-Lightning_I2V-A14B-4steps-lora_{}_fp16.safetensors"
PRO_LORA = "SVI_v2_PRO_Wan2.2-I2V-A14B_{}_lora_rank_128_fp16.safetensors"
SVI2_LORA = {noise: f"SVI_Wan2.2-I2V-A14B_{noise.lower()}_noise_lora_v2.0.safetensors" for noise in ("HIGH", "LOW")}
# Of ComfyUI's own template video_wan2_2_14B_i2v.
NATIVE_MODEL = {n.upper(): f"wan2.2_i2v_{n}_noise_14B_fp8_scaled.safetensors" for n in ("high", "low")}
NATIVE_DISTILL = {n.upper(): f"wan2.2_i2v_lightx2v_4steps_lora_v1_{n}_noise.safetensors" for n in ("high", "low")}
NATIVE_VAE = "wan_2.1_vae.safetensors"
NATIVE_TEXT_ENCODER = "umt5_xxl_fp8_e4m3fn_scaled.safetensors"
HOLOCINE = "Wan2_2-T2V-A14B-HIGH-HoloCine-full_fp8_e4m3fn_scaled_KJ.safetensors"
HOLOCINE_DISTILL = "Wan2.2-Lightning_T2V-A14B-4steps-lora_HIGH_fp16.safetensors"
PUSA_LORA = "Wan21_PusaV1_LoRA_14B_rank512_bf16.safetensors"
MAGREF = "Wan2_1-I2V-14B-MAGREF_fp8_e4m3fn_scaled_KJ.safetensors"
