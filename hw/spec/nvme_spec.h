/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire formats of NVMe: registers, commands, completions, identify and log
 * pages. Numbers and layouts are those of the NVM Express Base Specification
 * 2.0 and the NVM Command Set Specification 1.0; section names stand beside
 * each group. Fields are little-endian; only what this drive uses has a name.
 *
 * The prefix nvme_/NVME_ is kept for mirrors of the specification.
 */
#ifndef NVME_SPEC_H
#define NVME_SPEC_H

#include <stdint.h>

#define NVME_NSID_ALL 0xFFFFFFFFu

/* Base 3.1.3, "Controller Properties". Offsets in BAR0. */
enum {
    NVME_REG_CAP = 0x00,        /* 64 bits */
    NVME_REG_VS = 0x08,
    NVME_REG_INTMS = 0x0C,
    NVME_REG_INTMC = 0x10,
    NVME_REG_CC = 0x14,
    NVME_REG_CSTS = 0x1C,
    NVME_REG_NSSR = 0x20,
    NVME_REG_AQA = 0x24,
    NVME_REG_ASQ = 0x28,        /* 64 bits */
    NVME_REG_ACQ = 0x30,        /* 64 bits */
    NVME_REG_CRTO = 0x68,
    NVME_REG_DOORBELLS = 0x1000,
};

#define NVME_VS_2_0 0x00020000u

/* CAP */
#define NVME_CAP_MQES_SHIFT 0
#define NVME_CAP_CQR (1ull << 16)
#define NVME_CAP_TO_SHIFT 24            /* units of 500 ms */
#define NVME_CAP_CSS_NVM (1ull << 37)
#define NVME_CAP_CSS_IOCS (1ull << 43)
#define NVME_CAP_CRWMS (1ull << 59)

/* CC */
#define NVME_CC_EN (1u << 0)
#define NVME_CC_CSS(cc) (((cc) >> 4) & 7)
#define NVME_CC_CSS_NVM 0
#define NVME_CC_CSS_IOCS 6
#define NVME_CC_MPS(cc) (((cc) >> 7) & 15)
#define NVME_CC_AMS(cc) (((cc) >> 11) & 7)
#define NVME_CC_SHN(cc) (((cc) >> 14) & 3)
#define NVME_CC_IOSQES(cc) (((cc) >> 16) & 15)
#define NVME_CC_IOCQES(cc) (((cc) >> 20) & 15)

/* CSTS */
#define NVME_CSTS_RDY (1u << 0)
#define NVME_CSTS_CFS (1u << 1)
#define NVME_CSTS_SHST_MASK (3u << 2)
#define NVME_CSTS_SHST_OCCURRING (1u << 2)
#define NVME_CSTS_SHST_COMPLETE (2u << 2)

/* Base 3.3.3.1, "Submission Queue Entry". */
struct nvme_command {
    uint8_t opcode;
    uint8_t flags;              /* FUSE 1:0, PSDT 7:6 */
    uint16_t cid;
    uint32_t nsid;
    uint32_t cdw2;
    uint32_t cdw3;
    uint64_t mptr;
    uint64_t prp1;
    uint64_t prp2;
    uint32_t cdw10;
    uint32_t cdw11;
    uint32_t cdw12;
    uint32_t cdw13;
    uint32_t cdw14;
    uint32_t cdw15;
};
_Static_assert(sizeof(struct nvme_command) == 64, "SQE is 64 bytes");

#define NVME_FUSE(flags) ((flags) & 3)
#define NVME_PSDT(flags) ((flags) >> 6)

/* Base 3.3.3.2, "Common Completion Queue Entry". */
struct nvme_completion {
    uint32_t dw0;
    uint32_t dw1;
    uint16_t sq_head;
    uint16_t sq_id;
    uint16_t cid;
    uint16_t status;            /* bit 0 phase, 15:1 status field */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "CQE is 16 bytes");

/* Base 5, "Admin Command Set". */
enum {
    NVME_ADMIN_DELETE_SQ = 0x00,
    NVME_ADMIN_CREATE_SQ = 0x01,
    NVME_ADMIN_GET_LOG = 0x02,
    NVME_ADMIN_DELETE_CQ = 0x04,
    NVME_ADMIN_CREATE_CQ = 0x05,
    NVME_ADMIN_IDENTIFY = 0x06,
    NVME_ADMIN_ABORT = 0x08,
    NVME_ADMIN_SET_FEATURES = 0x09,
    NVME_ADMIN_GET_FEATURES = 0x0A,
    NVME_ADMIN_ASYNC_EVENT = 0x0C,
    NVME_ADMIN_DOORBELL_BUFFERS = 0x7C,
};

/* NVM Command Set 3.1. */
enum {
    NVME_IO_FLUSH = 0x00,
    NVME_IO_WRITE = 0x01,
    NVME_IO_READ = 0x02,
    NVME_IO_COMPARE = 0x05,
    NVME_IO_WRITE_ZEROES = 0x08,
    NVME_IO_DSM = 0x09,
};
#define NVME_RW_FUA (1u << 30)          /* CDW12 of all with one range */
#define NVME_WZ_DEAC (1u << 25)         /* CDW12 of Write Zeroes: deallocate */
#define NVME_DSM_DEALLOCATE (1u << 2)   /* CDW11 of Dataset Management: AD */

/* NVM 3.2.3, the list of ranges. */
#define NVME_DSM_RANGES_MAX 256
struct nvme_dsm_range {
    uint32_t attributes;
    uint32_t block_count;
    uint64_t slba;
};
_Static_assert(sizeof(struct nvme_dsm_range) == 16, "dsm range");

/* Base 3.3.3.2.1, "Status Field": SCT << 8 | SC, and the flags beside it. */
enum {
    NVME_SUCCESS = 0x000,
    NVME_INVALID_OPCODE = 0x001,
    NVME_INVALID_FIELD = 0x002,
    NVME_DATA_TRANSFER_ERROR = 0x004,
    NVME_INTERNAL_ERROR = 0x006,
    NVME_ABORT_REQUESTED = 0x007,
    NVME_INVALID_NAMESPACE = 0x00B,
    NVME_INVALID_PRP_OFFSET = 0x013,
    NVME_LBA_OUT_OF_RANGE = 0x080,
    NVME_INVALID_CQ = 0x100,
    NVME_INVALID_QUEUE_ID = 0x101,
    NVME_INVALID_QUEUE_SIZE = 0x102,
    NVME_ABORT_LIMIT = 0x103,
    NVME_AER_LIMIT = 0x105,
    NVME_INVALID_VECTOR = 0x108,
    NVME_INVALID_LOG_PAGE = 0x109,
    NVME_INVALID_QUEUE_DELETION = 0x10C,
    NVME_FEATURE_NOT_SAVEABLE = 0x10D,
    NVME_FEATURE_NOT_CHANGEABLE = 0x10E,
    NVME_COMMAND_SIZE_LIMIT = 0x183,    /* NVM 3.2.3 */
    NVME_WRITE_FAULT = 0x280,
    NVME_UNRECOVERED_READ = 0x281,
    NVME_COMPARE_FAILURE = 0x285,
};
#define NVME_STATUS_MASK 0x07FF
#define NVME_MORE 0x2000
#define NVME_DNR 0x4000

/* Base 5.2, asynchronous events: type, information, log page. */
enum {
    NVME_AER_ERROR = 0,
    NVME_AER_INVALID_DOORBELL_REGISTER = 0,
    NVME_AER_INVALID_DOORBELL_VALUE = 1,
};
#define NVME_AER_DW0(type, info, lid) \
    ((uint32_t)(type) | (uint32_t)(info) << 8 | (uint32_t)(lid) << 16)

/* Base 5.17, Identify: CNS values and their structures of 4096 bytes. */
#define NVME_IDENTIFY_BYTES 4096
enum {
    NVME_CNS_NS = 0x00,
    NVME_CNS_CTRL = 0x01,
    NVME_CNS_ACTIVE_NS_LIST = 0x02,
    NVME_CNS_NS_DESCRIPTORS = 0x03,
    NVME_CNS_CSI_NS = 0x05,
    NVME_CNS_CSI_CTRL = 0x06,
    NVME_CNS_CSI_ACTIVE_NS_LIST = 0x07,
    NVME_CNS_CS_INDEPENDENT_NS = 0x08,
    NVME_CNS_COMMAND_SETS = 0x1C,
};
#define NVME_CSI_NVM 0

struct nvme_power_state {
    uint16_t max_power;         /* centiwatts */
    uint8_t reserved[2];
    uint32_t entry_latency_us;
    uint32_t exit_latency_us;
    uint8_t rest[20];
};
_Static_assert(sizeof(struct nvme_power_state) == 32, "power state");

struct nvme_id_ctrl {
    uint16_t vid;
    uint16_t ssvid;
    char sn[20];
    char mn[40];
    char fr[8];
    uint8_t rab;
    uint8_t ieee[3];
    uint8_t cmic;
    uint8_t mdts;
    uint16_t cntlid;
    uint32_t ver;
    uint32_t rtd3r;
    uint32_t rtd3e;
    uint32_t oaes;
    uint32_t ctratt;
    uint16_t rrls;
    uint8_t reserved102[9];
    uint8_t cntrltype;
    uint8_t reserved112[144];
    uint16_t oacs;
    uint8_t acl;
    uint8_t aerl;
    uint8_t frmw;
    uint8_t lpa;
    uint8_t elpe;
    uint8_t npss;
    uint8_t avscc;
    uint8_t apsta;
    uint16_t wctemp;
    uint16_t cctemp;
    uint8_t reserved270[242];
    uint8_t sqes;
    uint8_t cqes;
    uint16_t maxcmd;
    uint32_t nn;
    uint16_t oncs;
    uint16_t fuses;
    uint8_t fna;
    uint8_t vwc;
    uint16_t awun;
    uint16_t awupf;
    uint8_t icsvscc;
    uint8_t nwpc;
    uint16_t acwu;
    uint16_t ocfs;
    uint32_t sgls;
    uint32_t mnan;
    uint8_t reserved544[224];
    char subnqn[256];
    uint8_t reserved1024[1024];
    struct nvme_power_state psd[32];
    uint8_t vendor[1024];
};
_Static_assert(sizeof(struct nvme_id_ctrl) == NVME_IDENTIFY_BYTES, "id ctrl");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, oacs) == 256, "oacs");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, sqes) == 512, "sqes");
_Static_assert(__builtin_offsetof(struct nvme_id_ctrl, subnqn) == 768, "nqn");

#define NVME_OACS_DOORBELL_BUFFERS (1 << 8)
#define NVME_VWC_PRESENT 1
#define NVME_VWC_FLUSH_ALL (3 << 1)     /* Flush with NSID FFFFFFFFh works */
#define NVME_ONCS_COMPARE (1 << 0)
#define NVME_ONCS_DSM (1 << 2)
#define NVME_ONCS_WRITE_ZEROES (1 << 3)
#define NVME_LPA_EFFECTS (1 << 1)
#define NVME_LPA_EXTENDED (1 << 2)

struct nvme_lbaf {
    uint16_t ms;
    uint8_t ds;
    uint8_t rp;
};

struct nvme_id_ns {
    uint64_t nsze;
    uint64_t ncap;
    uint64_t nuse;
    uint8_t nsfeat;
    uint8_t nlbaf;
    uint8_t flbas;
    uint8_t mc;
    uint8_t dpc;
    uint8_t dps;
    uint8_t nmic;
    uint8_t rescap;
    uint8_t fpi;
    uint8_t dlfeat;
    uint16_t nawun;
    uint16_t nawupf;
    uint16_t nacwu;
    uint16_t nabsn;
    uint16_t nabo;
    uint16_t nabspf;
    uint8_t reserved46[58];
    uint8_t nguid[16];
    uint8_t eui64[8];
    struct nvme_lbaf lbaf[64];
    uint8_t vendor[3712];
};
_Static_assert(sizeof(struct nvme_id_ns) == NVME_IDENTIFY_BYTES, "id ns");
_Static_assert(__builtin_offsetof(struct nvme_id_ns, nguid) == 104, "nguid");
_Static_assert(__builtin_offsetof(struct nvme_id_ns, lbaf) == 128, "lbaf");

_Static_assert(__builtin_offsetof(struct nvme_id_ns, nawun) == 34, "nawun");
_Static_assert(__builtin_offsetof(struct nvme_id_ns, nabspf) == 44, "nabspf");
#define NVME_NSFEAT_NSABP (1 << 1)      /* NAWUN, NAWUPF, NACWU are defined */

/* DLFEAT: what deallocated blocks read as, and who may deallocate. */
#define NVME_DLFEAT_READ_ZEROES 1
#define NVME_DLFEAT_DEAC (1 << 3)       /* Write Zeroes may */

/* NVM 4.1.5.4, CNS 06h with the NVM command set; 0: no limit. */
struct nvme_id_ctrl_nvm {
    uint8_t vsl;
    uint8_t wzsl;
    uint8_t wusl;
    uint8_t dmrl;               /* ranges */
    uint32_t dmrsl;             /* blocks of a range */
    uint64_t dmsl;              /* blocks of all ranges */
    uint8_t reserved16[4080];
};
_Static_assert(sizeof(struct nvme_id_ctrl_nvm) == NVME_IDENTIFY_BYTES,
               "id ctrl nvm");

/* Base 5.17.2.8, CNS 08h. */
struct nvme_id_ns_independent {
    uint8_t nsfeat;             /* bit 5: no volatile write cache (2.0c) */
    uint8_t nmic;
    uint8_t rescap;
    uint8_t fpi;
    uint32_t anagrpid;
    uint8_t nsattr;
    uint8_t reserved9;
    uint16_t nvmsetid;
    uint16_t endgid;
    uint8_t nstat;              /* bit 0: ready */
    uint8_t reserved15[4081];
};
#define NVME_NSFEAT_VWCNP (1 << 5)      /* no volatile write cache here */
_Static_assert(sizeof(struct nvme_id_ns_independent) == NVME_IDENTIFY_BYTES,
               "id ns independent");

/* Base 5.17.2.3, CNS 03h. */
enum { NVME_NIDT_UUID = 3, NVME_NIDT_CSI = 4 };

/* Base 5.16, Get Log Page. */
enum {
    NVME_LOG_SUPPORTED = 0x00,
    NVME_LOG_ERROR = 0x01,
    NVME_LOG_SMART = 0x02,
    NVME_LOG_FIRMWARE = 0x03,
    NVME_LOG_EFFECTS = 0x05,
    NVME_LOG_FEATURES = 0x12,
};

struct nvme_error_entry {
    uint64_t error_count;
    uint16_t sqid;
    uint16_t cid;
    uint16_t status;
    uint16_t parameter_location;
    uint64_t lba;
    uint32_t nsid;
    uint8_t vendor_log;
    uint8_t trtype;
    uint8_t reserved30[2];
    uint64_t command_specific;
    uint8_t reserved40[24];
};
_Static_assert(sizeof(struct nvme_error_entry) == 64, "error entry");

struct nvme_smart_log {
    uint8_t critical_warning;
    uint16_t temperature;       /* kelvin */
    uint8_t available_spare;
    uint8_t spare_threshold;
    uint8_t percentage_used;
    uint8_t endurance_critical;
    uint8_t reserved7[25];
    uint64_t data_units_read[2];        /* thousands of 512 bytes */
    uint64_t data_units_written[2];
    uint64_t host_reads[2];
    uint64_t host_writes[2];
    uint64_t busy_minutes[2];
    uint64_t power_cycles[2];
    uint64_t power_on_hours[2];
    uint64_t unsafe_shutdowns[2];
    uint64_t media_errors[2];
    uint64_t error_entries[2];
    uint8_t reserved192[320];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_smart_log) == 512, "smart log");

struct nvme_firmware_log {
    uint8_t active;
    uint8_t reserved1[7];
    char slot[7][8];
    uint8_t reserved64[448];
};
_Static_assert(sizeof(struct nvme_firmware_log) == 512, "firmware log");

struct nvme_effects_log {
    uint32_t admin[256];
    uint32_t io[256];
    uint8_t reserved2048[2048];
};
_Static_assert(sizeof(struct nvme_effects_log) == 4096, "effects log");
#define NVME_EFFECT_SUPPORTED (1u << 0)
#define NVME_EFFECT_CONTENT (1u << 1)   /* LBCC: changes user data */

/* Base 5.27, Features. */
enum {
    NVME_FEAT_ARBITRATION = 0x01,
    NVME_FEAT_POWER = 0x02,
    NVME_FEAT_TEMPERATURE = 0x04,
    NVME_FEAT_ERROR_RECOVERY = 0x05,
    NVME_FEAT_VWC = 0x06,
    NVME_FEAT_QUEUES = 0x07,
    NVME_FEAT_IRQ_COALESCING = 0x08,
    NVME_FEAT_IRQ_VECTOR = 0x09,
    NVME_FEAT_WRITE_ATOMICITY = 0x0A,
    NVME_FEAT_ASYNC_EVENTS = 0x0B,
};
enum {
    NVME_SELECT_CURRENT = 0,
    NVME_SELECT_DEFAULT = 1,
    NVME_SELECT_SAVED = 2,
    NVME_SELECT_SUPPORTED = 3,
};
#define NVME_FEATURE_SAVE (1u << 31)    /* CDW10 of Set Features */
#define NVME_FEATURE_CHANGEABLE (1u << 2)
#define NVME_FEATURE_NS_SPECIFIC (1u << 1)

#endif
